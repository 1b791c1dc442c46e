import { type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { AggregatedDiscoveryServiceService as ads } from '../../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { DeltaDiscoveryRequest } from '../../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { grpcFrame } from '../../../support/nodes/raw-stream.ts';
import { attackerAddresses } from '../programs/http-client.ts';
import type { Attack, StopAttack } from '../programs/model.ts';

const [from] = attackerAddresses;

/** Requests in the dialect of agentgateway. The amount is that of names. */
export const dialectAttacks: readonly Attack[] = [
  ofNames('a million names of the second dialect', (names) => ({ resourceNamesSubscribe: names })),
  ofNames('a million versions of the second dialect', (names) => ({
    initialResourceVersions: Object.fromEntries(names.map((name) => [name, ''])),
  })),
];

const types = [
  'type.googleapis.com/istio.workload.Address',
  'type.googleapis.com/agentgateway.dev.resource.Resource',
] as const;

function ofNames(name: string, fields: (names: readonly string[]) => object): Attack {
  return {
    name,
    row: 9,
    program: 'serve',
    trace: { metric: 'gatehouse_xds_streams_ended_total', labels: { code: 'RESOURCE_EXHAUSTED' }, line: undefined },
    amount: { full: 1_000_000, short: 130_000 },
    // Some seconds go by until the names are encoded.
    seconds: 20,
    start({ xds }, count): StopAttack {
      const names = Array.from({ length: count }, (_, index) => `ns/name-${index}`);
      const node = {
        id: 'agentgateway~10.0.0.9~gw.default~default.svc.cluster.local',
        metadata: { role: 'default~gw' },
      };
      // Parts of a message that follow one another are one message: what is large is encoded once.
      const large = bytesOf(fields(names));
      const requests = types.map((typeUrl) => grpcFrame(Buffer.concat([bytesOf({ node, typeUrl }), large])));
      const createConnection = (): ReturnType<typeof connectSocket> =>
        connectSocket({ host: '127.0.0.1', port: xds, localAddress: from });
      let session = connect(`http://127.0.0.1:${xds}`, { createConnection }).on('error', () => {});
      const timer = setInterval(() => {
        if (session.destroyed) session = connect(`http://127.0.0.1:${xds}`, { createConnection }).on('error', () => {});
        const stream = open(
          session.request({ ':method': 'POST', ':path': ads.deltaAggregatedResources.path, ...headers }),
        );
        for (const request of requests) stream.write(request);
      }, 250);
      return () => {
        clearInterval(timer);
        session.destroy();
        return 0;
      };
    },
  };
}

function bytesOf(request: object): Uint8Array {
  return DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(request)).finish();
}

const headers = { 'content-type': 'application/grpc', te: 'trailers' } as const;

function open(stream: ClientHttp2Stream): ClientHttp2Stream {
  return stream.on('error', () => {}).resume();
}
