import { parseArgs } from 'node:util';
import { closest, distance } from 'fastest-levenshtein';

/** Used wrongly: exit code 2. The message is for the person at the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** One flag of the command line. Its environment variable is `GATEHOUSE_` and its name in capitals. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What stands behind the flag in `--help`; absent for a switch. */
  readonly value?: string;
  /** May be given several times; in the environment separated by commas. */
  readonly repeatable?: true;
  readonly default?: string;
  readonly help: string;
}

/** The values of one command's flags, after flag over environment over default. */
export interface FlagValues {
  /** The value, or the empty string when the flag is not given and has no default. */
  text(name: string): string;
  /** The value, or undefined when it is not given and has no default. */
  optional(name: string): string | undefined;
  list(name: string): readonly string[];
  on(name: string): boolean;
  /** What stands on the command line beside the flags. */
  readonly positionals: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that stands for a flag. */
export function variableOf(flag: Flag): string {
  return `GATEHOUSE_${flag.name.toUpperCase().replaceAll('-', '_')}`;
}

/** Reads a command's flags, once. Throws a UsageError that names the nearest flag when one is unknown. */
export function readFlags(flags: readonly Flag[], args: readonly string[], environment: Environment): FlagValues {
  const { values, positionals } = parse(flags, args);
  const known = new Map(flags.map((flag) => [flag.name, flag]));
  const valuesFor = (name: string): readonly string[] => {
    const flag = known.get(name);
    if (flag === undefined) throw new TypeError(`no flag is declared as --${name}`);
    return values.get(name) ?? fromEnvironment(flag, environment) ?? (flag.default === undefined ? [] : [flag.default]);
  };
  return {
    text: (name) => valuesFor(name).at(-1) ?? '',
    optional: (name) => valuesFor(name).at(-1),
    list: (name) => valuesFor(name),
    on: (name) => switchValue(name, valuesFor(name).at(-1)),
    positionals,
  };
}

function parse(
  flags: readonly Flag[],
  args: readonly string[],
): { readonly values: Map<string, string[]>; readonly positionals: string[] } {
  const options: Record<string, { type: 'boolean' | 'string'; multiple: true; short?: string }> = {};
  for (const { name, value, short } of flags) {
    const type = value === undefined ? 'boolean' : 'string';
    options[name] = short === undefined ? { type, multiple: true } : { type, multiple: true, short };
  }
  // Not strict: the errors of the parser name neither the nearest flag nor a remedy.
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const flag = flags.find(({ name }) => name === token.name);
    if (flag === undefined) throw unknownFlag(token.rawName, flags);
    const earlier = flag.repeatable ? (values.get(flag.name) ?? []) : [];
    values.set(flag.name, [...earlier, given(flag, token.value)]);
  }
  return { values, positionals };
}

function given(flag: Flag, value: string | undefined): string {
  if (flag.value === undefined) return value ?? 'true';
  if (value !== undefined) return value;
  throw new UsageError(`--${flag.name} needs a value: --${flag.name}=${flag.value}`);
}

function unknownFlag(rawName: string, flags: readonly Flag[]): UsageError {
  const name = rawName.replace(/^-+/, '');
  const nearest = closest(
    name,
    flags.map((flag) => flag.name),
  );
  const hint = distance(name, nearest) <= Math.max(2, name.length / 2) ? ` Did you mean --${nearest}?` : ' See --help.';
  return new UsageError(`unknown flag ${rawName}.${hint}`);
}

function fromEnvironment(flag: Flag, environment: Environment): readonly string[] | undefined {
  const value = environment[variableOf(flag)];
  if (value === undefined || value === '') return undefined;
  return flag.repeatable ? value.split(',') : [value];
}

function switchValue(name: string, value: string | undefined): boolean {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new UsageError(`--${name} is true or false, not "${value}"`);
}

/** A listen address. The port may be 0: then the system picks a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `host:port`, with an IPv6 host in brackets. */
export function listenAddress(flag: string, text: string): ListenAddress {
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]]*)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  if (match === null || !(port <= 65_535)) {
    throw new UsageError(`--${flag} is <host>:<port>, for example 127.0.0.1:9097, not "${text}"`);
  }
  return { host: match.groups?.['six'] ?? (match.groups?.['host'] || '0.0.0.0'), port };
}

/** Reads a duration such as `10s`, `250ms`, `2m`, into milliseconds. */
export function duration(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw new UsageError(`--${flag} is a number with a unit (ms, s, m, h), for example 10s, not "${text}"`);
  }
  return Number(match[1]) * unit;
}

/** Reads a whole number within bounds. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`--${flag} is a whole number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}

/** Reads one of several words. */
export function oneOf<const T extends string>(flag: string, text: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw new UsageError(`--${flag} is one of ${words.join(', ')}, not "${text}"`);
  return word;
}
