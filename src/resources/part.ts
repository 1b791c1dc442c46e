import type { Fault, Part } from './model.ts';

/** A part that was understood. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The value of a part, or undefined when it was not understood: only for what such a part leaves unsaid. */
export function understood<T>(part: Part<T>): T | undefined {
  return part.ok ? part.value : undefined;
}

/** The first part that was not understood. */
export function firstFault(parts: readonly Part<unknown>[]): Fault | undefined {
  for (const part of parts) {
    if (!part.ok) return part;
  }
  return undefined;
}

/** An optional part without the level that only says that it is absent. */
export function written<T>(part: Part<T | undefined>): Part<T> | undefined {
  if (!part.ok) return part;
  return part.value === undefined ? undefined : ok(part.value);
}
