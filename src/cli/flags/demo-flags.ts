import { isIP } from 'node:net';
import type { PortChoice } from '../../demo/demo.ts';
import { wholeNumber } from '../flag-values.ts';
import { type Flag, type FlagValues, UsageError } from '../flags.ts';

/** The flags of `demo`. */
export const demoFlags: readonly Flag[] = [
  { name: 'once', help: 'end after the story' },
  { name: 'port', value: '<port>', help: "the gateway's listener port instead of the guide's 8080" },
  {
    name: 'ports',
    value: '<first port>',
    help: 'listen on six ports from here on; 0 takes free ones, so that demos can run side by side',
  },
  {
    name: 'host',
    value: '<address>',
    default: '127.0.0.1',
    help: "where the gateway listens for MCP clients; the guide's 0.0.0.0 lets other machines connect",
  },
];

/** Decodes the addresses of `demo`. */
export function demoPorts(flags: FlagValues): PortChoice {
  const number = (name: string, least: number, most: number): number | undefined => {
    const text = flags.optional(name);
    return text === undefined ? undefined : wholeNumber(name, text, least, most);
  };
  const host = flags.text('host');
  if (isIP(host) === 0) throw new UsageError(`--host=${host}: write an IP address, such as 127.0.0.1 or 0.0.0.0`);
  // Six ports from the base on have to exist.
  return { base: number('ports', 0, 65_530), gateway: number('port', 1, 65_535), host };
}
