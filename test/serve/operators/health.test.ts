import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type HealthCheckResponse,
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../src/gen/grpc/health/v1/health.ts';
import { Health } from '../../../src/serve/operators/health.ts';
import { type RunningAdmin, startAdmin } from '../../../src/serve/serve.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { unaryRequestCallsParts } from '../../support/nodes/unary-calls.ts';

let ready: boolean;
let health: Health;
let admin: RunningAdmin;
let client: HealthClient;

beforeEach(async () => {
  ready = false;
  health = new Health(() => ready, unaryRequestCallsParts());
  admin = await startAdmin(
    { host: '127.0.0.1', port: 0 },
    {
      health,
      clients: () => [],
      descriptorSet: new Uint8Array(),
      clock: systemClock,
      counters: createRecordedCounters(),
      log: createRecordedLog(),
      security: undefined,
    },
  );
  client = new HealthClient(`127.0.0.1:${admin.address.port}`, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await admin.stop();
});

const check = (service: string): Promise<HealthCheckResponse> =>
  new Promise((resolve, reject) => {
    client.check({ service }, (error: ServiceError | null, response) => (error ? reject(error) : resolve(response)));
  });

describe('the health service', () => {
  it('is NOT_SERVING until the first sync, then SERVING', async () => {
    expect(await check('')).toEqual({ status: ServingStatus.NOT_SERVING });
    ready = true;
    expect(await check('envoy.service.discovery.v3.AggregatedDiscoveryService')).toEqual({
      status: ServingStatus.SERVING,
    });
  });

  it('answers NOT_FOUND for another service', async () => {
    await expect(check('some.other.Service')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('sends every change to its watches, and ends them when the server stops', async () => {
    const call = client.watch({ service: '' });
    const seen: ServingStatus[] = [];
    const next = call[Symbol.asyncIterator]();
    seen.push((await next.next()).value.status);
    ready = true;
    health.changed();
    health.changed();
    seen.push((await next.next()).value.status);
    health.stop();
    seen.push((await next.next()).value.status);
    expect(seen).toEqual([ServingStatus.NOT_SERVING, ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
    expect((await next.next()).done).toBe(true);
  });
});
