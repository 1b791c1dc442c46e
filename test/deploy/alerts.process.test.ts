import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shipped } from '../support/cluster/deployed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { mcpService, openGateway, policy } from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';
import { type AlertCase, alertCases, type Series } from './alert-cases.ts';

/** Prometheus itself says what it reads; Debian's package `prometheus` has its tool. */
const promtool = process.env['PROMTOOL'] ?? 'promtool';
const isInstalled = spawnSync(promtool, ['--version']).status === 0;

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const [manifest] = shipped('monitoring/prometheus-rule.yaml').all;
const { spec }: { readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] } } = JSON.parse(
  JSON.stringify(manifest),
);
const rules = spec.groups.flatMap((group) => group.rules);

interface Tested {
  readonly code: number | null;
  readonly output: string;
}

function run(args: readonly string[], input = ''): Tested {
  const { status, stdout, stderr } = spawnSync(promtool, args, { input, encoding: 'utf8', timeout: 60_000 });
  return { code: status, output: `${stdout}${stderr}` };
}

/** The series, and whether the alert fires at a minute; JSON is YAML. */
function unitTest({ alert, labels, annotations }: Rule, series: readonly Series[], at: number, own?: object): object {
  const expected = own === undefined ? [] : [{ exp_labels: { ...own, ...labels }, exp_annotations: annotations }];
  return {
    interval: '1m',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{ eval_time: `${at}m`, alertname: alert, exp_alerts: expected }],
  };
}

function tested(tests: readonly object[]): Tested {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(spec));
  writeFileSync(
    join(folder, 'tests.yaml'),
    JSON.stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }),
  );
  return run(['test', 'rules', join(folder, 'tests.yaml')]);
}

const cases = Object.entries(alertCases);

function ruleOf(title: string): Rule {
  const rule = rules.find(({ alert }) => alert === title.split(' ', 1)[0]);
  if (rule === undefined) throw new Error(`there is no alert ${title}`);
  return rule;
}

it('each alert has a case', () => {
  expect(new Set(cases.map(([title]) => ruleOf(title).alert))).toEqual(new Set(rules.map(({ alert }) => alert)));
});

describe.skipIf(!isInstalled)('in Prometheus', () => {
  it('the rules are valid', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(spec));
    expect(run(['check', 'rules', join(folder, 'rules.yaml')])).toEqual({
      code: 0,
      output: expect.stringContaining(`SUCCESS: ${rules.length} rules found`),
    });
  });

  it.each(cases)('%s fires', (title: string, { fires, at, labels }: AlertCase) => {
    expect(tested([unitTest(ruleOf(title), fires, at, labels)])).toMatchObject({ code: 0 });
  });

  it.each(cases)(
    '%s does not fire without its reason, nor before its time',
    (title: string, { fires, silent, at, silentAt, silentUntil }: AlertCase) => {
      const rule = ruleOf(title);
      const early = silentAt === undefined ? [] : [unitTest(rule, fires, silentAt)];
      const without = silent.length === 0 ? [] : [unitTest(rule, silent, silentUntil ?? at)];
      expect(tested([...without, ...early])).toMatchObject({ code: 0 });
    },
  );

  it('what /metrics answers is read without a remark, but about names that prom-client gives', async () => {
    const running = await startWorld({
      'a.yaml': openGateway,
      'b.yaml': mcpService('default/a'),
      'c.yaml': policy('default/p', 'gw'),
    });
    try {
      await running.node('default/gw').settled();
      const { body } = await running.get('metrics', '/metrics');
      const { output } = run(['check', 'metrics'], body);
      const remarks = output.split('\n').filter((line) => line !== '');
      expect(remarks.filter((line) => !/^nodejs_active_\w+_total non-counter/.test(line))).toEqual([]);
    } finally {
      await running[Symbol.asyncDispose]();
    }
  });
});
