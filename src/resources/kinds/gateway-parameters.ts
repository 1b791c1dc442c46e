import { refused } from '../decode/decoder.ts';
import { DNS_SUBDOMAIN } from '../decode/formats.ts';
import { mapping, narrowing, whole } from '../decode/mapping.ts';
import { defineKind, type Kind } from '../kind.ts';
import { ok } from '../part.ts';

/** Presence is the signal: what is inside `selfManaged` is kept and not read. */
const gatewayParametersSpec = narrowing({
  kube: refused(
    'is for proxies that a controller deploys, which this one does not: write "selfManaged: {}" and nothing else.',
  ),
  selfManaged: mapping,
});

/** Says that somebody else deploys the data plane. */
export const gatewayParameters: Kind<'GatewayParameters'> = defineKind(
  {
    kind: 'GatewayParameters',
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    plural: 'gatewayparameters',
    namespaced: true,
    nameRule: DNS_SUBDOMAIN,
  },
  ({ identity, spec }, report) => {
    const frame = mapping(spec, ['spec'], report);
    if (!frame.ok) return frame;
    const only = whole(gatewayParametersSpec)(spec, ['spec'], report);
    return ok({ kind: 'GatewayParameters', identity, selfManaged: only.ok ? ok(true) : only });
  },
);
