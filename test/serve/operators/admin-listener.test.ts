import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Health } from '../../../src/serve/operators/health.ts';
import { startAdmin } from '../../../src/serve/serve.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { descriptorSet } from '../../support/nodes/operator.ts';
import { unaryRequestCallsParts } from '../../support/nodes/unary-calls.ts';

let log: RecordedLog;
let health: Health;

beforeEach(() => {
  log = createRecordedLog();
  health = new Health(() => true, unaryRequestCallsParts());
});

afterEach(() => health.stop());

describe('the admin listener', () => {
  it.each([
    ['127.0.0.1', 0],
    ['localhost', 0],
    ['0.0.0.0', 1],
  ])('on %s logs this many warnings: %i', async (host, warnings) => {
    const parts = { health, clients: () => [], descriptorSet: await descriptorSet, log };
    const admin = await startAdmin({ host, port: 0 }, parts);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(warnings);
    await admin.stop();
  });
});
