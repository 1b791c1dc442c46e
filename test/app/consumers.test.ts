import { expect, it } from 'vitest';
import { consumers, startApp } from '../../src/app/app.ts';
import { save } from '../source/files/file-rig.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { systemClock } from '../support/edges/system-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { mcpService, openGateway, together } from '../support/worlds/manifests.ts';
import { quickSettings } from '../support/worlds/running-world.ts';

const broken = (): void => {
  throw new Error('on purpose');
};

it('a consumer that throws keeps nothing from the others, and is told of in one line', () => {
  const [clock, log, counters] = [createManualClock(), createRecordedLog(), createRecordedCounters()];
  const tell = consumers({ clock, log, counters });
  const told: number[] = [];
  for (let time = 0; time < 3; time += 1) tell(broken, () => told.push(time), broken);
  expect(told).toEqual([0, 1, 2]);
  expect(log.lines.map(({ level }) => level)).toEqual(['error']);
  expect(counters.total('gatehouse_graph_failures_total', { collection: 'consumers' })).toBe(6);
});

it('a consumer that always throws at one object at the start gets it once, and keeps nothing from being synced', async () => {
  const folder = temporaryFolder();
  // Of two parts, the first one has it.
  const others = Array.from({ length: 600 }, (_, at) => mcpService(`default/good-${at}`));
  save(folder, 'world.yaml', together(openGateway, mcpService('default/bad'), ...others));
  let deliveries = 0;
  const [log, synced] = [createRecordedLog(), Promise.withResolvers<void>()];
  const info: typeof log.info = (message, fields) => {
    log.info(message, fields);
    if (message.startsWith('synced')) synced.resolve();
  };
  const input = { from: 'files', filenames: [folder], debounce: { idle: 2, ceiling: 50 }, settle: 0 } as const;
  const parts = {
    clock: systemClock,
    random: () => 0,
    log: { ...log, info },
    logLevel: { level: 'info', lostLines: 0 },
  } as const;
  const app = await startApp({ ...quickSettings, input }, parts, (_, { changes }) => {
    if (!changes.some(({ key }) => key === 'default/bad')) return;
    deliveries += 1;
    broken();
  });
  await synced.promise;
  expect(deliveries).toBe(1);
  await app.stop();
});
