import type { Clock, Counters, Logger } from '../edges.ts';
import { RateLimiter } from '../rate/rate-limiter.ts';
import type { InputDiagnostic } from './model.ts';

/** A position in a file, both counted from 1; columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A diagnostic without its path: the file, or the API path, is known from the context. */
export interface Diagnostic extends Omit<InputDiagnostic, 'place'> {
  /** Undefined: the file as a whole. */
  readonly position: Position | undefined;
  /**
   * What several diagnostics are about, such as an API server that is away. Only the first of them to appear is logged, and
   * the last of them to be gone, with these messages.
   */
  readonly cause?: Cause;
}

/** The messages of the log when the first diagnostic of a cause appears, and when the last one is gone. */
export interface Cause {
  readonly appeared: string;
  /** Also identifies the cause. */
  readonly gone: string;
}

/** A diagnostic, and the file, root or API path that it is about. */
export interface PlacedDiagnostic {
  readonly path: string;
  readonly diagnostic: Diagnostic;
}

/** Formats a place as compilers and editors do: `<path>:<line>:<column>`. */
export function placeText(path: string, position: Position | undefined): string {
  return position === undefined ? path : `${path}:${position.line}:${position.column}`;
}

/** Lines about one change of the input. An author can make as many problems with one edit as objects fit into a file. */
const maxLines = 20;

/** The same of all changes: whoever changes files or objects without an end brings some with each change. */
const lineRate = { rate: 1, burst: 60 } as const;

/**
 * All current diagnostics. Each is logged when it appears and when it is gone, as long as one change brings no more than
 * {@link maxLines} of them, and all changes no more than {@link lineRate}.
 */
export class DiagnosticRegistry {
  readonly #log: Logger;
  readonly #counters: Counters;
  readonly #current = new Map<string, readonly PlacedDiagnostic[]>();
  /** By owner that was replaced since the last `logChanges`: its diagnostics at that time. */
  readonly #logged = new Map<string, readonly PlacedDiagnostic[]>();
  /** The number of diagnostics that were logged for a cause and are not gone. */
  readonly #causes = new Map<string, number>();
  #errors = 0;
  /** Undefined: only the lines about one change are limited. */
  readonly #limiter: RateLimiter | undefined;
  /** What is left of {@link maxLines} for the change that is being logged. */
  #lines = 0;
  /** Problems that were not named, and are counted by the next line for which there is room. */
  #unnamed = 0;
  /** The sorted list, until something changes: sorting thousands takes long. */
  #list: readonly InputDiagnostic[] | undefined;

  /** @param clock absent where everything is read once */
  constructor(log: Logger, counters: Counters, clock?: Clock) {
    this.#log = log;
    this.#counters = counters;
    this.#limiter = clock && new RateLimiter(clock, lineRate);
  }

  /** Replaces all diagnostics of an owner, such as a file, a root, or an object. */
  replace(owner: string, diagnostics: readonly PlacedDiagnostic[]): void {
    const before = this.#current.get(owner) ?? [];
    if (before.length === 0 && diagnostics.length === 0) return;
    if (!this.#logged.has(owner)) this.#logged.set(owner, before);
    this.#list = undefined;
    this.#errors += errorsIn(diagnostics) - errorsIn(before);
    if (diagnostics.length > 0) this.#current.set(owner, diagnostics);
    else this.#current.delete(owner);
  }

  /** Logs the differences since the last call. A diagnostic that only moved to another line is the same one. */
  logChanges(): void {
    this.#lines = maxLines;
    for (const [owner, before] of this.#logged) {
      const now = this.#current.get(owner) ?? [];
      // First those that appeared: a diagnostic that is replaced by one of the same cause does not end it.
      for (const placed of without(now, before)) this.#logAppeared(placed);
      for (const placed of without(before, now)) this.#logGone(placed);
    }
    this.#logged.clear();
    if (this.#unnamed > 0 && this.#takeLine()) {
      this.#log.warn(tooMany, { more: this.#unnamed });
      this.#unnamed = 0;
    }
    this.#counters.gauge('gatehouse_input_errors', this.#errors);
  }

  /** Returns all diagnostics by path, line, column and text. The same lines reached by two paths are listed once. */
  list(): readonly InputDiagnostic[] {
    this.#list ??= this.#sorted();
    return this.#list;
  }

  #sorted(): readonly InputDiagnostic[] {
    const byContent = new Map<string, InputDiagnostic>();
    for (const placed of [...this.#current.values()].flat().sort(comparePlaced)) {
      const diagnostic = inputDiagnostic(placed);
      byContent.set(JSON.stringify(diagnostic), diagnostic);
    }
    return [...byContent.values()];
  }

  #logAppeared(placed: PlacedDiagnostic): void {
    const { severity, message, place, object, field } = inputDiagnostic(placed);
    this.#counters.count('gatehouse_source_problems_total', { severity });
    const { cause } = placed.diagnostic;
    if (cause !== undefined) {
      const known = this.#causes.get(cause.gone) ?? 0;
      this.#causes.set(cause.gone, known + 1);
      if (known === 0) this.#log[severity === 'error' ? 'error' : 'warn'](cause.appeared);
      return;
    }
    if (!this.#hasRoom()) return;
    if (severity === 'error') this.#log.error(message, { place, object, field });
    else this.#log.warn(message, { place, object, field });
  }

  #logGone(placed: PlacedDiagnostic): void {
    const { cause } = placed.diagnostic;
    if (cause !== undefined) {
      const left = (this.#causes.get(cause.gone) ?? 0) - 1;
      if (left > 0) this.#causes.set(cause.gone, left);
      else {
        this.#causes.delete(cause.gone);
        this.#log.info(cause.gone);
      }
      return;
    }
    if (!this.#hasRoom()) return;
    const { message, place, object, field } = inputDiagnostic(placed);
    this.#log.info('a problem is gone', { place, object, field, problem: message });
  }

  /** Takes room for one line, or counts the problem as one that is not named, as are all that follow of this change. */
  #hasRoom(): boolean {
    if (this.#lines > 0 && this.#takeLine()) {
      this.#lines -= 1;
      return true;
    }
    this.#lines = 0;
    this.#unnamed += 1;
    return false;
  }

  #takeLine(): boolean {
    return this.#limiter === undefined || this.#limiter.tryTake() === 0;
  }
}

const tooMany =
  'one change has brought or ended more problems than the log names; /debug/problems lists all that there are';

function inputDiagnostic({ path, diagnostic }: PlacedDiagnostic): InputDiagnostic {
  const { position, cause: _logged, ...rest } = diagnostic;
  return { ...rest, place: placeText(path, position) };
}

function errorsIn(diagnostics: readonly PlacedDiagnostic[]): number {
  return diagnostics.filter(({ diagnostic }) => diagnostic.severity === 'error').length;
}

/** Returns the diagnostics that are not in the second list, compared without their position. */
function without(
  diagnostics: readonly PlacedDiagnostic[],
  others: readonly PlacedDiagnostic[],
): readonly PlacedDiagnostic[] {
  if (others.length === 0) return diagnostics;
  const known = new Set(others.map(signature));
  return diagnostics.filter((placed) => !known.has(signature(placed)));
}

function signature({ path, diagnostic: { severity, object, field, message } }: PlacedDiagnostic): string {
  return JSON.stringify([path, severity, object, field, message]);
}

function comparePlaced(a: PlacedDiagnostic, b: PlacedDiagnostic): number {
  const from = a.diagnostic.position;
  const to = b.diagnostic.position;
  return (
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)) ||
    (from?.line ?? 0) - (to?.line ?? 0) ||
    (from?.column ?? 0) - (to?.column ?? 0) ||
    compareTexts(signature(a), signature(b))
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
