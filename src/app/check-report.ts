import type { PlacesOf } from '../debug/model.ts';
import type { Explainer, Finding } from '../explain/model.ts';
import { pathText } from '../resources/resources.ts';
import type { InputDiagnostic } from '../source/model.ts';

/** Every error and warning, by place: at most 1,000 of them, errors first, and the number of all. */
export interface CheckReport {
  readonly diagnostics: readonly InputDiagnostic[];
  readonly errors: number;
  readonly warnings: number;
}

/** Findings that are located and listed: a place takes a pass over its file, and nobody reads more. */
const mostListed = 1000;

/** Joins what decoding found, what conditions say, and hints. */
export async function checkReport(
  decoded: readonly InputDiagnostic[],
  explainer: Explainer,
  placesOf: PlacesOf,
): Promise<CheckReport> {
  const reported = new Map<string, Set<string>>();
  for (const { object = '', message } of decoded) {
    reported.set(object, (reported.get(object) ?? new Set<string>()).add(message));
  }
  const diagnostics: InputDiagnostic[] = [...decoded];
  const listed: Finding[] = [];
  const counts = { error: 0, warning: 0 };
  for (const { severity } of diagnostics) counts[severity] += 1;
  for (const finding of findingsOf(explainer)) {
    if (finding === undefined || isReported(finding, reported)) continue;
    counts[finding.severity] += 1;
    if (listed.length < mostListed) listed.push(finding);
  }
  const places = await placesOf(listed.map(({ at }) => at));
  for (const [n, { severity, at, message }] of listed.entries()) {
    const object = `${at.kind} ${at.key}`;
    diagnostics.push({ severity, place: places[n] ?? '', object, field: pathText(at.path), message });
  }
  // Of too many, the errors are listed before any warning.
  const bySeverity = diagnostics.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
  const shown = bySeverity.slice(0, mostListed).toSorted(comparePlaces);
  return { diagnostics: shown, errors: counts.error, warnings: counts.warning };
}

function* findingsOf(explainer: Explainer): Generator<Finding | undefined> {
  yield* explainer.statusFindings();
  yield* explainer.hints();
}

/** Returns whether decoding the object said the same: a sentence of a condition repeats those of its parts. */
function isReported({ from, at, message }: Finding, reported: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (from !== 'status') return false;
  const messages = reported.get(`${at.kind} ${at.key}`);
  return messages !== undefined && [...messages].some((said) => message.includes(said));
}

function comparePlaces(a: InputDiagnostic, b: InputDiagnostic): number {
  return a.place.localeCompare(b.place, 'en', { numeric: true }) || (a.message < b.message ? -1 : 1);
}
