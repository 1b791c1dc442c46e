import { expect, it } from 'vitest';
import { warnOfUnknownTargets } from '../../../src/gateway/network/named-targets.ts';
import { LogThrottle } from '../../../src/rate/log-throttle.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createFakeConfig } from '../../support/gateway/fake-config.ts';

it('a time for a target that does not exist is a warning, once until it is gone, beside those of other settings', () => {
  const [clock, log, config] = [createManualClock(), createRecordedLog(), createFakeConfig()];
  const target = { name: 'default/reports', host: 'h', port: 1, path: '' };
  const stop = warnOfUnknownTargets(config, new LogThrottle(clock, log), [
    { what: '--target-timeout has a time', names: () => ['default/reprots', 'default/reports'] },
    { what: 'upstream.headers_file has headers', names: () => ['default/reports'] },
  ]);
  config.allow('n.p', 'me', 'tool', '*');
  expect(log.lines).toEqual([]);
  for (let times = 0; times < 3; times += 1) config.putTarget(target);
  const warning = (because: string) => ({
    level: 'warn',
    message: '--target-timeout has a time for targets that do not exist: compare the names with /targets',
    fields: { because },
  });
  expect(log.lines).toEqual([warning('default/reprots')]);
  config.putTarget({ ...target, name: 'default/reprots' });
  config.removeTarget('default/reprots');
  expect(log.lines).toEqual([warning('default/reprots'), warning('default/reprots')]);
  stop();
  config.removeTarget('default/reports');
  expect(log.lines).toHaveLength(2);
});
