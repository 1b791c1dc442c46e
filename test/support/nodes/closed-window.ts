import { connect } from 'node:http2';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import {
  type DeepPartial,
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';

/** A node with a flow-control window of zero: the server cannot write DATA until the window opens. */
export interface ClosedWindow {
  /** Sends several requests in one write. */
  request(...requests: readonly DeepPartial<DeltaDiscoveryRequest>[]): void;
  /** Opens the window; returns the responses in the order of arrival, and acknowledges each. */
  open(): AsyncIterable<DeltaDiscoveryResponse>;
  /** Settles once the connection is closed. */
  readonly closed: Promise<'by the server' | 'by itself'>;
  close(): void;
}

/** @param hostName the request header that names the Gateway */
export function createClosedWindow(address: string, hostName: string): ClosedWindow {
  const session = connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  const { promise: closed, resolve } = Promise.withResolvers<'by the server' | 'by itself'>();
  session.on('close', () => resolve('by the server'));
  const stream = session.request({
    ':method': 'POST',
    ':path': ads.deltaAggregatedResources.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'x-alt-xds-hostname': hostName,
  });
  stream.on('error', () => {});
  const request = (...requests: readonly DeepPartial<DeltaDiscoveryRequest>[]): void =>
    void stream.write(Buffer.concat(requests.map(framed)));
  return {
    request,
    async *open() {
      session.settings({ initialWindowSize: 1 << 20 });
      let bytes = Buffer.alloc(0);
      for await (const chunk of stream) {
        bytes = Buffer.concat([bytes, chunk]);
        while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
          const end = 5 + bytes.readUInt32BE(1);
          const response = DeltaDiscoveryResponse.decode(bytes.subarray(5, end));
          bytes = bytes.subarray(end);
          request({ typeUrl: response.typeUrl, responseNonce: response.nonce });
          yield response;
        }
      }
    },
    closed,
    close() {
      resolve('by itself');
      session.destroy();
    },
  };
}

function framed(fields: DeepPartial<DeltaDiscoveryRequest>): Buffer {
  const message = DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
