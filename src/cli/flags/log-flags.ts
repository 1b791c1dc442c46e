import type { LogLevel } from '../../edges.ts';
import type { LogFormat } from '../../log/log.ts';
import { oneOf } from '../flag-values.ts';
import type { Flag, FlagValues } from '../flags.ts';

/** Flags of every command. */
export const logFlags: readonly Flag[] = [
  {
    name: 'log-level',
    value: '<debug|info|warn|error>',
    default: 'info',
    help: 'the least severe lines that are written',
  },
  {
    name: 'log-format',
    value: '<auto|json|text>',
    default: 'auto',
    help: 'auto: text on a terminal, else JSON',
  },
];

/** Decodes the flags of the log. */
export function logSettings(flags: FlagValues): { readonly level: LogLevel; readonly format: LogFormat } {
  return {
    level: oneOf('log-level', flags.text('log-level'), ['debug', 'info', 'warn', 'error']),
    format: oneOf('log-format', flags.text('log-format'), ['auto', 'json', 'text']),
  };
}
