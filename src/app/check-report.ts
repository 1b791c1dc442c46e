import type { PlacesOf } from '../debug/model.ts';
import { CollectedProblems, problemsOf } from '../explain/explain.ts';
import type { Explainer } from '../explain/model.ts';
import type { InputDiagnostic } from '../source/model.ts';

/** Every error and warning, by place: at most 1,000 of them, errors first, and the number of all. */
export interface CheckReport {
  readonly diagnostics: readonly InputDiagnostic[];
  readonly errors: number;
  readonly warnings: number;
}

/** Joins what decoding found, what conditions say, and hints. */
export async function checkReport(
  decoded: readonly InputDiagnostic[],
  explainer: Pick<Explainer, 'statusFindings' | 'hints'>,
  placesOf: PlacesOf,
): Promise<CheckReport> {
  const collected = new CollectedProblems();
  for (const problem of problemsOf(decoded, explainer)) if (problem !== undefined) collected.add(problem);
  const { errors, warnings, listed } = collected.list();
  const places = (await placesOf(listed.flatMap(({ at }) => at ?? [])))[Symbol.iterator]();
  const diagnostics = listed.map(
    ({ severity, kind, key, field, place, message, at }): InputDiagnostic => ({
      severity,
      place: place ?? (at === undefined ? undefined : places.next().value) ?? '',
      object: kind === undefined ? undefined : `${kind} ${key}`,
      field,
      message,
    }),
  );
  return { diagnostics: diagnostics.sort(comparePlaces), errors, warnings };
}

function comparePlaces(a: InputDiagnostic, b: InputDiagnostic): number {
  return a.place.localeCompare(b.place, 'en', { numeric: true }) || (a.message < b.message ? -1 : 1);
}
