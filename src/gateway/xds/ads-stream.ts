import { type ClientOptions, credentials, status } from '@grpc/grpc-js';
import type { Stop } from '../../edges.ts';
import { AggregatedDiscoveryServiceClient } from '../../gen/envoy/service/discovery/v3/ads.ts';
import type { DeltaDiscoveryRequest, DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import { type Endpoint, endpointText } from '../network/resolve.ts';

/** One delta stream on a connection of its own. */
export interface AdsStream {
  send(request: DeltaDiscoveryRequest): void;
  /** Ends the stream and its connection; nothing is reported after it. */
  readonly close: Stop;
}

/** What a stream reports. */
export interface AdsEvents {
  /** The control plane answers: its headers came, or the first response. Once, before the first `response`. */
  connected(): void;
  response(response: DeltaDiscoveryResponse): void;
  /** The stream is over, and nothing comes after it. */
  ended(why: string): void;
}

/** Where a control plane is: what it is called, and where the connection goes. */
export interface AdsPlace {
  readonly name: Endpoint;
  readonly address: Endpoint;
}

/**
 * Opens a stream. The connection is not shared and not kept: whoever opens streams decides when to try again, and a new
 * attempt looks the name up anew.
 */
export function openAdsStream({ name, address }: AdsPlace, events: AdsEvents): AdsStream {
  const client = new AggregatedDiscoveryServiceClient(`dns:${endpointText(address)}`, credentials.createInsecure(), {
    ...options,
    'grpc.default_authority': endpointText(name),
  });
  const call = client.deltaAggregatedResources();
  let state: 'opening' | 'open' | 'closed' = 'opening';
  const connected = (): void => {
    if (state !== 'opening') return;
    state = 'open';
    events.connected();
  };
  const close = (): void => {
    if (state === 'closed') return;
    state = 'closed';
    call.cancel();
    client.close();
  };

  call.on('metadata', connected);
  call.on('data', (response: DeltaDiscoveryResponse) => {
    connected();
    if (state !== 'closed') events.response(response);
  });
  // Every end, an error too, comes as a status; without a listener an error would end the program.
  call.on('error', () => {});
  call.on('status', ({ code, details }) => {
    if (state === 'closed') return;
    close();
    events.ended(
      code === status.OK ? 'the control plane ended the stream' : `${status[code]}: ${details.replace(emptyNote, '')}`,
    );
  });
  return {
    send: (request) => {
      if (state !== 'closed') call.write(request);
    },
    close,
  };
}

/** grpc-js ends its message with the name server's remark, also when there is none. */
const emptyNote = / Resolution note: $/;

const options: ClientOptions = {
  'grpc.max_receive_message_length': 200 * 1024 * 1024,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
  // The control plane is in the cluster: a proxy of the environment is not on the way.
  'grpc.enable_http_proxy': 0,
};
