import { type Decoder, ok, optional } from '../decode/decoder.ts';
import { apiGroup, apiKind, dnsLabel, dnsSubdomain, listenerHostname, objectName } from '../decode/formats.ts';
import { allValidList } from '../decode/list.ts';
import { allValid, belongIn, record, strictMapping } from '../decode/mapping.ts';
import { anyText, lenientText, oneOf, portNumber, type TextRule, text } from '../decode/scalars.ts';
import type { Listener } from '../model.ts';
import { allowedRoutes } from './allowed-routes.ts';

const protocolRule: TextRule = {
  expected: 'a protocol such as "HTTP", or a domain and a word such as "kgateway.dev/mcp" (at most 255 characters)',
  // The CRD's pattern does not anchor the domain: only its last character is checked.
  test: (value) =>
    value.length <= 255 && /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]\/[A-Za-z0-9]+$/.test(value),
};

const certificateRef = allValid(
  strictMapping({
    group: optional(text(apiGroup)),
    kind: optional(text(apiKind)),
    name: text(objectName),
    namespace: optional(text(dnsLabel)),
  }),
);

const tlsBlock = allValid(
  strictMapping({
    mode: optional(oneOf(['Terminate', 'Passthrough'])),
    certificateRefs: optional(allValidList(certificateRef, { most: 64 })),
    options: optional(record(anyText, text(anyText))),
  }),
);

/** Keeps a protocol whose spelling the API refuses: the listener's status reports it as another protocol. */
const listenerBlock = strictMapping(
  {
    name: text(dnsSubdomain),
    hostname: optional(text(listenerHostname)),
    port: portNumber,
    protocol: lenientText(protocolRule),
    tls: optional(tlsBlock),
    allowedRoutes,
  },
  {
    ...belongIn('allowedRoutes', ['namespaces', 'kinds']),
    ...belongIn('allowedRoutes.namespaces', ['from', 'selector']),
  },
);

/** Decodes an entry of `spec.listeners`: invalid only when it is not a mapping; its fields are valid one by one. */
export const listener: Decoder<Listener> = (value, path, reporter) => {
  const block = listenerBlock(value, path, reporter);
  if (!block.ok) return block;
  const { fields, unknown, has } = block.value;
  const { name, port, protocol, hostname, tls, allowedRoutes: routes } = fields;
  if (!routes.ok) return routes;
  const errors = [...unknown, hostname, tls].flatMap((field) => (field.ok ? [] : [field.reason]));
  return ok({ name, port, protocol, hasHostname: has('hostname'), hasTls: has('tls'), ...routes.value, errors });
};
