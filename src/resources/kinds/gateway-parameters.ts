import { type Decoder, forbidden, ignored, ok, optional, refine } from '../decode/decoder.ts';
import { apiGroup, apiKind, dnsLabel, dnsSubdomain, objectName } from '../decode/formats.ts';
import { defineKind, type Kind } from '../decode/kind.ts';
import { allValid, lenientMapping, mapping, strictMapping } from '../decode/mapping.ts';
import { text } from '../decode/scalars.ts';
import type { ParametersRef } from '../model.ts';

/** Accepts `selfManaged` with any content: only its presence counts. */
const gatewayParametersSpec = strictMapping({
  kube: forbidden(
    'is for proxies that a controller deploys, which this one does not: write "selfManaged: {}" and nothing else.',
  ),
  selfManaged: mapping,
});

/** GatewayParameters: states that the user deploys the data plane. */
export const gatewayParameters: Kind<'GatewayParameters'> = defineKind(
  {
    kind: 'GatewayParameters',
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    plural: 'gatewayparameters',
    namespaced: true,
    nameRule: dnsSubdomain,
    specFields: ['selfManaged', 'kube'],
  },
  ({ metadata, spec }, reporter) => {
    const block = mapping(spec, ['spec'], reporter);
    if (!block.ok) return block;
    const selfManaged = allValid(gatewayParametersSpec)(spec, ['spec'], reporter);
    return ok({ kind: 'GatewayParameters', metadata, selfManaged: selfManaged.ok ? ok(true) : selfManaged });
  },
);

const reference = { group: text(apiGroup), kind: text(apiKind), name: text(objectName) };

/** `spec.parametersRef` of a GatewayClass. An absent namespace has no default. */
export const classParametersRef: Decoder<ParametersRef> = refine(
  allValid(lenientMapping({ ...reference, namespace: optional(text(dnsLabel)) })),
  ({ group, kind, name, namespace }) => ok({ group, kind, name, namespace }),
);

/** `spec.infrastructure.parametersRef` of a Gateway, in the Gateway's namespace. */
export const localParametersRef: Decoder<ParametersRef> = refine(
  allValid(
    lenientMapping({
      ...reference,
      namespace: ignored('means nothing: the parameters are in the namespace of the Gateway. Remove it.'),
    }),
  ),
  ({ group, kind, name }) => ok({ group, kind, name, namespace: undefined }),
);
