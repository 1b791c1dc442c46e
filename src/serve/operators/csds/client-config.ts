import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DiscoveryResponse } from '../../../gen/envoy/service/discovery/v3/discovery.ts';
import {
  ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ConfigStatus,
} from '../../../gen/envoy/service/status/v3/csds.ts';
import type { Any } from '../../../gen/google/protobuf/any.ts';
import type { EncodedResource } from '../../../snapshot/model.ts';
import type { ConnectedClient, ResourceState } from '../../model.ts';

/** How many resources are encoded before everybody else gets a turn. */
const batch = 256;

const statuses = {
  synced: ConfigStatus.SYNCED,
  'not-sent': ConfigStatus.NOT_SENT,
  stale: ConfigStatus.STALE,
  error: ConfigStatus.ERROR,
} as const;

/**
 * One client as bytes of a ClientStatusResponse, in pieces that belong one after another: a message may be put together
 * from several of itself, so nobody has to hold the whole as objects.
 */
export function* clientConfig(
  { node, gateway, resources }: ConnectedClient,
  { contents }: { readonly contents: boolean },
): Iterable<Uint8Array> {
  yield ClientConfig.encode(ClientConfig.create({ node, clientScope: gateway })).finish();
  let entries: ClientConfig_GenericXdsConfig[] = [];
  for (const resource of resources()) {
    entries.push(entryOf(resource, contents));
    if (entries.length < batch) continue;
    yield ClientConfig.encode(ClientConfig.create({ genericXdsConfigs: entries })).finish();
    entries = [];
  }
  yield ClientConfig.encode(ClientConfig.create({ genericXdsConfigs: entries })).finish();
}

/** What has to stand before that many bytes of one client in a ClientStatusResponse: the tag of `config` and a length. */
export function configHeader(length: number): Uint8Array {
  return new BinaryWriter().uint32(10).uint32(length).finish();
}

function entryOf(
  { typeUrl, name, status, sent, lastSent, refusal }: ResourceState,
  contents: boolean,
): ClientConfig_GenericXdsConfig {
  return {
    typeUrl,
    name,
    versionInfo: sent?.version ?? '',
    xdsConfig: contents ? messageOf(sent) : undefined,
    lastUpdated: lastSent === undefined ? undefined : new Date(lastSent),
    configStatus: statuses[status],
    clientStatus: 0,
    errorState: refusal && {
      failedConfiguration: contents ? messageOf(refusal.resource) : undefined,
      lastUpdateAttempt: new Date(refusal.at),
      details: refusal.message,
      versionInfo: refusal.resource?.version ?? '',
    },
    isStaticResource: false,
  };
}

/** The message of a resource, out of the field that responses are put together from. */
function messageOf(resource: EncodedResource | undefined): Any | undefined {
  return resource && DiscoveryResponse.decode(resource.sotwField).resources[0];
}
