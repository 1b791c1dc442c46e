import { quoted } from '../../json/quoted.ts';
import {
  type Decoder,
  ok,
  optional,
  refine,
  requiredWithFallback,
  unchecked,
  unwrapOptional,
  withDefault,
} from '../decode/decoder.ts';
import {
  apiGroup,
  apiKind,
  dnsLabel,
  dnsSubdomain,
  labelKey,
  labelValue,
  listenerHostname,
  objectName,
} from '../decode/formats.ts';
import { parseIp } from '../decode/ip-address.ts';
import { defineKind, type Frame, type Kind } from '../decode/kind.ts';
import { list } from '../decode/list.ts';
import { allValid, belongIn, lenientMapping, mapping, record } from '../decode/mapping.ts';
import { warnOfUnknownAnnotation } from '../decode/own-annotations.ts';
import type { Reporter } from '../decode/reporter.ts';
import { anyText, lenientText, longerThan, oneOf, portNumber, type TextRule, text } from '../decode/scalars.ts';
import type { Gateway, GatewayAddress, Parsed } from '../model.ts';
import { localParametersRef } from './gateway-parameters.ts';
import { listener } from './listener.ts';

const addressType: TextRule = {
  expected: '"IPAddress", "Hostname", "NamedAddress", or a domain and a path (at most 253 characters)',
  test: (value) =>
    value.length <= 253 && /^Hostname|IPAddress|NamedAddress|[a-z0-9]\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(value),
};

const addressValue: TextRule = { expected: 'at most 253 characters', test: (value) => !longerThan(253, value) };

/** Keeps a type whose spelling the API refuses: an unsupported type rejects the Gateway. */
const address: Decoder<GatewayAddress> = refine(
  allValid(
    lenientMapping({
      type: withDefault(lenientText(addressType), 'IPAddress'),
      value: withDefault(text(addressValue), ''),
    }),
  ),
  ({ type, value }, path, reporter) => {
    const valuePath = [...path, 'value'];
    const isIp = type === 'IPAddress' && value !== '';
    if (isIp && !parseIp(value))
      return reporter.error(valuePath, `is ${quoted(value)}: write an IPv4 or IPv6 address.`);
    const isHostname = type === 'Hostname' && value !== '';
    if (isHostname && !listenerHostname.test(value))
      return reporter.error(valuePath, `is ${quoted(value)}: write ${listenerHostname.expected}.`);
    return ok({ type, value });
  },
);

const infrastructure = lenientMapping({
  labels: optional(record(labelKey, text(labelValue))),
  annotations: optional(record(anyText, text(anyText))),
  parametersRef: optional(localParametersRef),
});

const objectRef = lenientMapping({
  group: optional(text(apiGroup)),
  kind: optional(text(apiKind)),
  name: text(objectName),
  namespace: optional(text(dnsLabel)),
});

const frontend = lenientMapping({
  validation: optional(
    lenientMapping({
      caCertificateRefs: list(objectRef, { least: 1, most: 16 }),
      mode: optional(oneOf(['AllowValidOnly', 'AllowInsecureFallback'])),
    }),
  ),
});

/** `spec.tls`: validated only, it has no effect on an MCP listener. */
const tls = lenientMapping({
  backend: optional(lenientMapping({ clientCertificateRef: optional(objectRef) })),
  frontend: optional(
    lenientMapping({
      default: frontend,
      perPort: optional(list(lenientMapping({ port: portNumber, tls: frontend }), { most: 64 })),
    }),
  ),
});

/** `spec.allowedListeners` (for ListenerSets): validated only, it has no effect here. */
const allowedListeners = lenientMapping({
  namespaces: optional(
    lenientMapping({ from: optional(oneOf(['All', 'Selector', 'Same', 'None'])), selector: optional(mapping) }),
  ),
});

const gatewaySpec = lenientMapping(
  {
    gatewayClassName: text(objectName),
    listeners: requiredWithFallback(list(listener, { least: 1, most: 64 }), [], 'a list of listeners'),
    addresses: withDefault(list(address, { most: 16 }), []),
    infrastructure: optional(infrastructure),
    allowedListeners: optional(allowedListeners),
    tls: optional(tls),
    defaultScope: unchecked,
  },
  [],
  belongIn('an entry of spec.listeners', ['protocol', 'port', 'allowedRoutes']),
);

const accountAnnotation = 'kgateway.dev/service-account';

const ownAnnotations = { known: [accountAnnotation], prefix: 'kgateway.dev/service' };

/** Decodes the names of the ServiceAccounts whose pods may be nodes of the Gateway. One that is invalid allows none. */
function serviceAccounts(annotations: Frame['annotations'], reporter: Reporter): Gateway['serviceAccounts'] {
  if (!annotations.ok) return annotations;
  const present = annotations.value.find(({ key }) => key === accountAnnotation);
  if (present === undefined) return undefined;
  if (!present.value.ok) return present.value;
  const names = present.value.value.split(',').map((name) => name.trim());
  if (names.every((name) => dnsSubdomain.test(name))) return ok(names);
  return reporter.error(
    ['metadata', 'annotations', accountAnnotation],
    `is ${quoted(present.value.value)}: write names of ServiceAccounts of the Gateway's namespace, with commas between.`,
  );
}

/** Gateway: a data plane and its listeners. */
export const gateway: Kind<'Gateway'> = defineKind(
  {
    kind: 'Gateway',
    apiVersion: 'gateway.networking.k8s.io/v1',
    plural: 'gateways',
    namespaced: true,
    nameRule: dnsSubdomain,
    specFields: ['gatewayClassName', 'listeners', 'addresses', 'infrastructure'],
  },
  ({ metadata, annotations, spec }, reporter): Parsed<Gateway> => {
    const block = gatewaySpec(spec, ['spec'], reporter);
    if (!block.ok) return block;
    const { gatewayClassName, listeners, addresses, infrastructure: parameters } = block.value.fields;
    if (!listeners.ok) return listeners;
    if (!addresses.ok) return addresses;
    warnOfUnknownAnnotation(annotations, ownAnnotations, reporter);
    const parametersRef = parameters.ok ? parameters.value?.fields.parametersRef : parameters;
    return ok({
      kind: 'Gateway',
      metadata,
      serviceAccounts: serviceAccounts(annotations, reporter),
      className: gatewayClassName,
      parametersRef: parametersRef && unwrapOptional(parametersRef),
      addresses: addresses.value,
      listeners: listeners.value,
    });
  },
);
