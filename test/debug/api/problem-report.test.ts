import { expect, it } from 'vitest';
import { ProblemReport } from '../../../src/debug/api/problem-report.ts';
import { problemsView } from '../../../src/debug/api/problems-view.ts';
import type { Explainer, Finding } from '../../../src/explain/model.ts';
import type { InputDiagnostic } from '../../../src/source/model.ts';
import { systemClock } from '../../support/edges/system-clock.ts';

interface World {
  readonly problems?: readonly InputDiagnostic[];
  readonly status?: readonly Finding[];
  readonly hints?: Iterable<Finding | undefined>;
}

function reportOf({ problems = [], status = [], hints = [] }: World): { report: ProblemReport; made: () => number } {
  let made = 0;
  const explainer: Pick<Explainer, 'statusFindings' | 'hints'> = {
    statusFindings: () => {
      made += 1;
      return status;
    },
    *hints() {
      yield* hints;
    },
  };
  const parts = { explainer, problems: () => problems, clock: systemClock };
  return { report: new ProblemReport(parts), made: () => made };
}

function hint(message: string): Finding {
  return { severity: 'warning', from: 'hint', at: { kind: 'Gateway', key: 'default/gw', path: ['spec'] }, message };
}

function problem(index: number, severity: 'error' | 'warning'): InputDiagnostic {
  return {
    severity,
    place: `a.yaml:${index}:1`,
    object: `Service default/s-${index}`,
    field: 'spec',
    message: 'wrong',
  };
}

const noPlaces = (): Promise<readonly undefined[]> => Promise.resolve([]);

it('of 100,000 problems all are counted, the first 1,000 are listed, errors first, and one page is shown', async () => {
  const problems = Array.from({ length: 100_000 }, (_, index) =>
    problem(index, index % 400 === 0 ? 'error' : 'warning'),
  );
  const { report } = reportOf({ problems });
  expect(await problemsView(report, noPlaces, new URLSearchParams('limit=2&offset=249'))).toMatchObject({
    errors: 250,
    warnings: 99_750,
    listed: 1_000,
    total: 1_000,
    kinds: [{ kind: 'Service', errors: 250, warnings: 99_750 }],
    items: [{ severity: 'error', key: 'default/s-99600' }, { severity: 'warning' }],
  });
});

it('what decoding said is not repeated when a condition says it', async () => {
  const at = { kind: 'Service', key: 'default/s-1', path: ['spec'] } as const;
  const status: readonly Finding[] = [
    { severity: 'error', from: 'status', at, message: 'It is wrong.' },
    { severity: 'error', from: 'status', at, message: 'Something else.' },
  ];
  const { report } = reportOf({ problems: [problem(1, 'error')], status });
  expect((await report.get()).listed.map(({ from, message }) => [from, message])).toEqual([
    ['input', 'wrong'],
    ['status', 'Something else.'],
  ]);
});

it('one report is made for all who ask at once, none before somebody asks, and other work goes on meanwhile', async () => {
  function* slow(): Generator<Finding | undefined> {
    const until = Date.now() + 30;
    while (Date.now() < until) yield undefined;
    yield hint('late');
  }
  const { report, made } = reportOf({ hints: slow() });
  expect(report.last).toBeUndefined();
  expect(made()).toBe(0);
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 1);
  const reports = await Promise.all([report.get(), report.get(), report.get()]);
  clearInterval(counting);
  expect(new Set(reports).size).toBe(1);
  expect(made()).toBe(1);
  expect(turns).toBeGreaterThan(0);
  expect(reports[0]?.listed).toHaveLength(1);
  expect(await report.get()).toBe(reports[0]);
});
