import { Session } from 'node:inspector/promises';

/** Counts work without a clock: what JavaScript executes, and the characters that native text functions look at. */
export interface WorkCounter {
  /** Returns the work since the last call. */
  take(): Promise<number>;
}

/**
 * Starts counting: the executions of every block of code that is loaded from now on (V8's precise coverage, in libraries
 * as well), and the characters that regular expressions and the searching functions of strings look at. A regular
 * expression counts as linear, which `npm run check:regexps` proves. Patches built-in prototypes, so it needs a process
 * of its own.
 */
export async function startWorkCounter(): Promise<WorkCounter> {
  let characters = 0;
  const add = (count: number): void => {
    characters += count;
  };
  countCharacters(add);
  countHosts(add);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    async take() {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      const blocks = result.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges));
      const work = characters + blocks.reduce((sum, { count }) => sum + count, 0);
      characters = 0;
      return work;
    },
  };
}

function countCharacters(add: (count: number) => void): void {
  const { exec } = RegExp.prototype;
  replace(RegExp.prototype, 'exec', function countingExec(this: RegExp, text: string): RegExpExecArray | null {
    const from = this.global || this.sticky ? this.lastIndex : 0;
    const result = exec.call(this, text);
    add((result === null ? text.length : result.index + result[0].length) - from);
    return result;
  });
  const { indexOf } = String.prototype;
  replace(String.prototype, 'indexOf', function countingIndexOf(this: string, part: string, from = 0): number {
    const found = indexOf.call(this, part, from);
    add((found === -1 ? this.length : found + 1) - from);
    return found;
  });
  for (const name of ['lastIndexOf', 'includes', 'split', 'trim', 'toLowerCase'] as const) {
    const native = String.prototype[name];
    replace(String.prototype, name, function countingWhole(this: string, ...args: unknown[]): unknown {
      add(this.length);
      return Reflect.apply(native, this, args);
    });
  }
}

/** The URL parser takes the square of a host's length, and of the rest its length, like every loop. */
function countHosts(add: (count: number) => void): void {
  const native = URL;
  const cost = (text: string | URL): void => {
    const plain = String(text).replace(/[\t\n\r]/g, '');
    const { host = '' } =
      /^[^!-\uffff]*(?:[a-z][a-z0-9+.-]*:[/\\]*|[/\\]{2,})(?<host>[^/\\?#]*)/i.exec(plain)?.groups ?? {};
    add(plain.length + host.length ** 2);
  };
  globalThis.URL = class extends native {
    constructor(text: string | URL, base?: string | URL) {
      cost(text);
      super(text, base);
    }
    static override parse(text: string, base?: string): URL | null {
      cost(text);
      return native.parse(text, base);
    }
    static override canParse(text: string, base?: string): boolean {
      cost(text);
      return native.canParse(text, base);
    }
  };
}

function replace(prototype: object, name: string, value: unknown): void {
  Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}
