/** One step of a stage, as far as a folder without a container engine can follow it. */
type BuildStep =
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'run'; readonly command: string }
  /** `from` names the stage that the sources are in; without it they are in the build context. */
  | {
      readonly kind: 'copy';
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    };

/** One stage, with what it inherits from the stages that it is made from. */
export interface Stage {
  readonly name: string;
  /** In their order, those of the stages that it is made from first. */
  readonly steps: readonly BuildStep[];
  readonly user: string | undefined;
  readonly exposed: readonly number[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  /** The arguments when a container gives none. */
  readonly defaults: readonly string[];
}

interface Instruction {
  readonly keyword: string;
  readonly value: string;
}

const nothing: Omit<Stage, 'name'> = {
  steps: [],
  user: undefined,
  exposed: [],
  environment: {},
  labels: {},
  entrypoint: [],
  defaults: [],
};

/**
 * Reads the subset of the Dockerfile language that ours is written in. Throws on everything else, so that no step of
 * the file can be passed over in silence. Build arguments are left as they stand: they only name images here.
 */
export function readDockerfile(text: string): ReadonlyMap<string, Stage> {
  const stages = new Map<string, Stage>();
  let current: Stage | undefined;
  for (const { keyword, value } of instructions(text)) {
    if (keyword === 'ARG') continue;
    if (keyword === 'FROM') {
      const [, base = '', name = ''] = /^(\S+) AS (\S+)$/.exec(value) ?? [];
      if (name === '') throw new Error(`FROM ${value}: every stage has a name here, FROM <image> AS <name>`);
      current = { ...(stages.get(base) ?? nothing), name };
    } else if (current === undefined) {
      throw new Error(`${keyword} stands before the first FROM`);
    } else {
      current = { ...current, ...change(current, keyword, value) };
    }
    stages.set(current.name, current);
  }
  return stages;
}

/** Without comments, each on one line. */
function instructions(text: string): readonly Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, keyword = '', value = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { keyword, value: value.trim() };
    });
}

function change(stage: Stage, keyword: string, value: string): Partial<Stage> {
  switch (keyword) {
    case 'WORKDIR':
      return { steps: [...stage.steps, { kind: 'workdir', path: value }] };
    case 'RUN':
      return { steps: [...stage.steps, { kind: 'run', command: value }] };
    case 'COPY':
      return { steps: [...stage.steps, copyStep(value)] };
    case 'USER':
      return { user: value };
    case 'EXPOSE':
      return { exposed: [...stage.exposed, ...value.split(/\s+/).map(Number)] };
    case 'ENV':
      return { environment: { ...stage.environment, ...pairs(value) } };
    case 'LABEL':
      return { labels: { ...stage.labels, ...pairs(value) } };
    case 'ENTRYPOINT':
      return { entrypoint: words(keyword, value), defaults: [] };
    case 'CMD':
      return { defaults: words(keyword, value) };
    default:
      throw new Error(`${keyword} ${value}: teach scripts/install-check/dockerfile.ts what this instruction means`);
  }
}

function copyStep(value: string): BuildStep {
  const parts = value.split(/\s+/);
  const flags = parts.filter((part) => part.startsWith('--'));
  const [from, ...others] = flags.map((flag) => /^--from=(.+)$/.exec(flag)?.[1]);
  const paths = parts.filter((part) => !part.startsWith('--'));
  const target = paths.pop();
  if (target === undefined || paths.length === 0 || others.length > 0 || (flags.length > 0 && from === undefined)) {
    throw new Error(`COPY ${value}: only COPY [--from=<stage>] <source>... <target> is understood`);
  }
  return { kind: 'copy', from, sources: paths, target };
}

function pairs(value: string): Readonly<Record<string, string>> {
  const found = value.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g);
  return Object.fromEntries(Array.from(found, ([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']));
}

/** A shell would take the place of the program as the process that gets the signals. */
function words(keyword: string, value: string): readonly string[] {
  if (!value.startsWith('['))
    throw new Error(`${keyword} ${value}: give it as a JSON list, so that no shell is needed`);
  const list: readonly string[] = JSON.parse(value);
  return list;
}
