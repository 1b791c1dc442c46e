import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DiscoveryResponse } from '../../../gen/envoy/service/discovery/v3/discovery.ts';
import {
  ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ConfigStatus,
} from '../../../gen/envoy/service/status/v3/csds.ts';
import type { Any } from '../../../gen/google/protobuf/any.ts';
import type { EncodedResource } from '../../../snapshot/model.ts';
import type { ConnectedClient, ResourceStatus } from '../../model.ts';

/** Resources per encoded chunk, and bytes, or one resource; the event loop serves other streams between two chunks. */
const chunk = { resources: 256, bytes: 256 * 1024 };

const statuses = {
  synced: ConfigStatus.SYNCED,
  'not-sent': ConfigStatus.NOT_SENT,
  stale: ConfigStatus.STALE,
  error: ConfigStatus.ERROR,
} as const;

/**
 * Encodes one client as a ClientConfig, in chunks to be concatenated: protobuf merges the encodings of one message, so
 * the whole ClientConfig never exists as objects.
 */
export function* encodeClientConfig(
  { node, gateway, resources }: ConnectedClient,
  { contents }: { readonly contents: boolean },
): Iterable<Uint8Array> {
  yield ClientConfig.encode(ClientConfig.create({ node, clientScope: gateway })).finish();
  let entries: ClientConfig_GenericXdsConfig[] = [];
  let bytes = 0;
  for (const resource of resources()) {
    entries.push(entryOf(resource, contents));
    if (contents)
      bytes += (resource.sent?.sotwField.length ?? 0) + (resource.rejection?.resource?.sotwField.length ?? 0);
    if (entries.length < chunk.resources && bytes < chunk.bytes) continue;
    yield ClientConfig.encode(ClientConfig.create({ genericXdsConfigs: entries })).finish();
    entries = [];
    bytes = 0;
  }
  yield ClientConfig.encode(ClientConfig.create({ genericXdsConfigs: entries })).finish();
}

/** Encodes the tag and the length that precede a ClientConfig of this many bytes in a ClientStatusResponse. */
export function configHeader(length: number): Uint8Array {
  return new BinaryWriter().uint32(10).uint32(length).finish();
}

function entryOf(
  { typeUrl, name, status, sent, lastSent, rejection }: ResourceStatus,
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
    errorState: rejection && {
      failedConfiguration: contents ? messageOf(rejection.resource) : undefined,
      lastUpdateAttempt: new Date(rejection.at),
      details: rejection.message,
      versionInfo: rejection.resource?.version ?? '',
    },
    isStaticResource: false,
  };
}

/** Decodes the Any of a resource from its encoded field of a DiscoveryResponse. */
function messageOf(resource: EncodedResource | undefined): Any | undefined {
  return resource && DiscoveryResponse.decode(resource.sotwField).resources[0];
}
