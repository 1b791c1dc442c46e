import ipaddr from 'ipaddr.js';
import type { Node } from '../../gen/envoy/config/core/v3/base.ts';
import { Address } from '../../gen/istio/workload/workload.ts';
import { encode, encodeResource } from '../encoded-resource.ts';
import type { EncodedResource, NodeType } from '../model.ts';

const typeUrl = 'type.googleapis.com/istio.workload.Address';

/**
 * The type under which a node looks for itself: it is not ready before it has found the Workload of its own name and
 * namespace. No other Workload and no Service is sent, since every target has an address of its own.
 */
export const addressType: NodeType = {
  type: { typeUrl, dialect: 'agentgateway.dev', fullState: true, legacyWildcard: true, pushOrder: 2 },
  resourceOf: encodeOwnWorkload,
};

/** Addresses of one node. */
const maxAddresses = 16;

function encodeOwnWorkload({ metadata }: Node): EncodedResource | undefined {
  const name = textIn(metadata, 'NAME', 253);
  const namespace = textIn(metadata, 'NAMESPACE', 63);
  const addresses = addressesOf(textIn(metadata, 'INSTANCE_IPS', 1024));
  if (name === '' || namespace === '' || addresses.length === 0) return undefined;
  const uid = `Kubernetes//Pod/${namespace}/${name}`;
  const workload = { uid, name, namespace, addresses, node: textIn(metadata, 'NODE_NAME', 253) };
  const message = encode((writer) => Address.encode({ type: { $case: 'workload', value: workload } }, writer));
  return encodeResource(typeUrl, uid, message);
}

/** A text of printable ASCII characters, no longer than `limit`; else the empty text. */
function textIn(metadata: Node['metadata'], key: string, limit: number): string {
  const value: unknown = metadata !== undefined && Object.hasOwn(metadata, key) ? metadata[key] : undefined;
  return typeof value === 'string' && value.length <= limit && /^[\x21-\x7e]*$/.test(value) ? value : '';
}

/** The addresses of a list with commas, each as 4 or 16 bytes; those that are none are left out. */
function addressesOf(list: string): Buffer[] {
  return list
    .split(',')
    .slice(0, maxAddresses)
    .flatMap((text) => (ipaddr.isValid(text) ? [Buffer.from(ipaddr.parse(text).toByteArray())] : []));
}
