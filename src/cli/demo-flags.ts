import { wholeNumber } from './flag-values.ts';
import type { Flag, FlagValues } from './flags.ts';

export const demoFlags: readonly Flag[] = [
  { name: 'once', help: 'end after the story' },
  { name: 'port', value: '<port>', help: "the gateway's listener port instead of the guide's 8080" },
];

/** Decodes `--port` of `demo`; undefined when it is not set. */
export function demoPort(flags: FlagValues): number | undefined {
  const text = flags.optional('port');
  return text === undefined ? undefined : wholeNumber('port', text, 1, 65_535);
}
