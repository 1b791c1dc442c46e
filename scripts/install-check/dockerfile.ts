/** One step of a stage that changes files. */
type BuildStep =
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'run'; readonly command: string }
  /** `from` is the stage of the sources; undefined: the build context. */
  | {
      readonly kind: 'copy';
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    };

/** One stage, including everything inherited from its base stages. */
export interface Stage {
  readonly name: string;
  /** In order, those of the base stages first. */
  readonly steps: readonly BuildStep[];
  readonly user: string | undefined;
  readonly exposed: readonly number[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  /** CMD: the arguments if the container has none. */
  readonly defaultArguments: readonly string[];
}

interface Instruction {
  readonly keyword: string;
  readonly value: string;
}

const emptyStage: Omit<Stage, 'name'> = {
  steps: [],
  user: undefined,
  exposed: [],
  environment: {},
  labels: {},
  entrypoint: [],
  defaultArguments: [],
};

/**
 * Parses the instructions that our Dockerfile uses. Throws for all others, so that none is ignored silently. Leaves build
 * arguments unexpanded: they only name images.
 */
export function parseDockerfile(text: string): ReadonlyMap<string, Stage> {
  const stages = new Map<string, Stage>();
  let current: Stage | undefined;
  for (const { keyword, value } of splitInstructions(text)) {
    if (keyword === 'ARG') continue;
    if (keyword === 'FROM') {
      const [, base = '', name = ''] = /^(?:--platform=\S+ )?(\S+) AS (\S+)$/.exec(value) ?? [];
      if (name === '')
        throw new Error(`FROM ${value}: every stage has a name here, FROM [--platform=<p>] <image> AS <name>`);
      current = { ...(stages.get(base) ?? emptyStage), name };
    } else if (current === undefined) {
      throw new Error(`${keyword} is before the first FROM`);
    } else {
      current = { ...current, ...applyInstruction(current, keyword, value) };
    }
    stages.set(current.name, current);
  }
  return stages;
}

/** Removes comments and joins continued lines. */
function splitInstructions(text: string): readonly Instruction[] {
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

function applyInstruction(stage: Stage, keyword: string, value: string): Partial<Stage> {
  switch (keyword) {
    case 'WORKDIR':
      return { steps: [...stage.steps, { kind: 'workdir', path: value }] };
    case 'RUN':
      return { steps: [...stage.steps, { kind: 'run', command: value }] };
    case 'COPY':
      return { steps: [...stage.steps, parseCopy(value)] };
    case 'USER':
      return { user: value };
    case 'EXPOSE':
      return { exposed: [...stage.exposed, ...value.split(/\s+/).map(Number)] };
    case 'ENV':
      return { environment: { ...stage.environment, ...parsePairs(value) } };
    case 'LABEL':
      return { labels: { ...stage.labels, ...parsePairs(value) } };
    case 'ENTRYPOINT':
      return { entrypoint: parseJsonForm(keyword, value), defaultArguments: [] };
    case 'CMD':
      return { defaultArguments: parseJsonForm(keyword, value) };
    default:
      throw new Error(`${keyword} ${value}: teach scripts/install-check/dockerfile.ts what this instruction means`);
  }
}

function parseCopy(value: string): BuildStep {
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

function parsePairs(value: string): Readonly<Record<string, string>> {
  const found = value.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g);
  return Object.fromEntries(Array.from(found, ([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']));
}

/** Rejects the shell form: the shell, not the program, would receive the signals. */
function parseJsonForm(keyword: string, value: string): readonly string[] {
  if (!value.startsWith('['))
    throw new Error(`${keyword} ${value}: give it as a JSON list, so that no shell is needed`);
  const list: readonly string[] = JSON.parse(value);
  return list;
}
