import { mostListed } from '../../explain/explain.ts';
import type { ListedProblem } from '../../explain/model.ts';
import type { PlacesOf } from '../model.ts';
import type { ProblemReport } from './problem-report.ts';
import { pageOf, searchIn, timeText, wordIn } from './query.ts';

/** The JSON of `/debug/problems`: all counted, the first thousand listed, errors before warnings. */
export async function problemsView(report: ProblemReport, placesOf: PlacesOf, query: URLSearchParams): Promise<object> {
  const severity = wordIn(query, 'severity', ['error', 'warning']);
  const search = searchIn(query);
  const page = pageOf(query, 100);
  const { at, errors, warnings, kinds, listed } = await report.get();
  const matching = listed.filter(
    (problem) =>
      (severity === undefined || problem.severity === severity) && (search === '' || textOf(problem).includes(search)),
  );
  const shown = matching.slice(page.offset, page.offset + page.limit);
  return {
    version: 1,
    time: timeText(at),
    errors,
    warnings,
    kinds: [...kinds].map(([kind, counts]) => ({ kind, ...counts })).sort((a, b) => b.errors - a.errors),
    listed: Math.min(mostListed, errors + warnings),
    total: matching.length,
    ...page,
    items: await withPlaces(shown, placesOf),
  };
}

function textOf({ key, place, message, field }: ListedProblem): string {
  return [key, place, field, message].join('\n').toLowerCase();
}

/** Looks up the places of those that are shown only: each takes a pass over its file. */
async function withPlaces(problems: readonly ListedProblem[], placesOf: PlacesOf): Promise<readonly object[]> {
  const places = (await placesOf(problems.flatMap(({ at }) => at ?? [])))[Symbol.iterator]();
  return problems.map(({ severity, from, kind, key, field, place, message, at }) => ({
    severity,
    from,
    kind: kind ?? null,
    key: key ?? null,
    field,
    place: place ?? (at === undefined ? undefined : places.next().value) ?? null,
    message,
  }));
}
