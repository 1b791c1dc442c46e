import type { Clock, Counters, Logger } from '../edges.ts';
import { BoundedLines } from '../rate/bounded-lines.ts';
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

/**
 * All current diagnostics. Each is logged when it appears and when it is gone, within {@link BoundedLines}.
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
  readonly #lines: BoundedLines;
  /** The sorted list, until something changes: sorting thousands takes long. */
  #list: readonly InputDiagnostic[] | undefined;

  /** @param clock absent where everything is read once */
  constructor(log: Logger, counters: Counters, clock?: Clock) {
    this.#log = log;
    this.#counters = counters;
    this.#lines = new BoundedLines(clock, (more) => log.warn(tooMany, { more }));
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
    this.logReplaced();
    this.#lines.endChange();
    this.#counters.gauge('gatehouse_input_errors', this.#errors);
  }

  /** The same, of a part of a change. */
  logReplaced(): void {
    for (const [owner, before] of this.#logged) {
      const now = this.#current.get(owner) ?? [];
      // First those that appeared: a diagnostic that is replaced by one of the same cause does not end it.
      for (const placed of without(now, before)) this.#logAppeared(placed);
      for (const placed of without(before, now)) this.#logGone(placed);
    }
    this.#logged.clear();
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
    if (!this.#lines.admit()) return;
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
    if (!this.#lines.admit()) return;
    const { message, place, object, field } = inputDiagnostic(placed);
    this.#log.info('a problem is gone', { place, object, field, problem: message });
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
