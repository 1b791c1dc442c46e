import { parseArgs } from 'node:util';
import { closest, distance } from 'fastest-levenshtein';
import { quoted, shortened } from '../json/quoted.ts';

/** A wrong command line: exit code 2. The message is for the user and says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A flag of a command. Its environment variable is `GATEHOUSE_` followed by its name in capitals. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value in `--help`; absent for a switch. */
  readonly value?: string;
  /** May be given several times; separated by commas in the environment. */
  readonly repeatable?: true;
  readonly default?: string;
  readonly help: string;
}

/** The values of a command's flags. The command line overrides the environment, which overrides the default. */
export interface FlagValues {
  /** The value; empty when the flag is not set and has no default. */
  text(name: string): string;
  /** The value; undefined when the flag is not set and has no default. */
  optional(name: string): string | undefined;
  /** The values of a repeatable flag. */
  list(name: string): readonly string[];
  /** Returns whether a switch is on. */
  on(name: string): boolean;
  /** Arguments that are no flags. */
  readonly positionals: readonly string[];
}

/** Environment variables, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment variable of a flag. */
export function variableOf(flag: Flag): string {
  return `GATEHOUSE_${flag.name.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Parses the flags of a command.
 *
 * @throws UsageError for an unknown flag (it suggests the nearest one), or a value that is missing or empty
 */
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
  // Not strict: the parser's own errors suggest no flag and no remedy.
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
    values.set(flag.name, [...earlier, flagValue(flag, token.value)]);
  }
  return { values, positionals };
}

function flagValue(flag: Flag, value: string | undefined): string {
  if (flag.value === undefined) return value ?? 'true';
  if (value === undefined) throw new UsageError(`--${flag.name} needs a value: --${flag.name}=${flag.value}`);
  // A variable of a script that is not set: no flag means anything by an empty value.
  if (value === '')
    throw new UsageError(`--${flag.name} is empty: write --${flag.name}=${flag.value}, or leave it out.`);
  return value;
}

function unknownFlag(rawName: string, flags: readonly Flag[]): UsageError {
  const near = nearWord(
    rawName.replace(/^-+/, ''),
    flags.map((flag) => flag.name),
  );
  const hint = near === undefined ? ' See --help.' : ` Did you mean --${near}?`;
  return new UsageError(`unknown flag ${shortened(rawName)}.${hint}`);
}

/** The known word that one was probably meant to be; undefined when more than a third of its letters, and two, differ. */
export function nearWord(word: string, known: readonly string[]): string | undefined {
  const nearest = closest(word, known);
  return distance(word, nearest) <= Math.max(2, word.length / 3) ? nearest : undefined;
}

function fromEnvironment(flag: Flag, environment: Environment): readonly string[] | undefined {
  const value = environment[variableOf(flag)];
  if (value === undefined || value === '') return undefined;
  return flag.repeatable ? value.split(',') : [value];
}

function switchValue(name: string, value: string | undefined): boolean {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new UsageError(`--${name} is true or false, not ${quoted(value)}`);
}
