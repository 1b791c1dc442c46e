import { type Decoder, optional } from '../decode/decoder.ts';
import { API_GROUP, API_KIND, DNS_LABEL, DNS_SUBDOMAIN, HOSTNAME, OBJECT_NAME } from '../decode/formats.ts';
import { wholeList } from '../decode/list.ts';
import { entries, narrowing, whole } from '../decode/mapping.ts';
import { ANY_TEXT, looseText, oneOf, type TextRule, text } from '../decode/scalars.ts';
import type { Listener } from '../model.ts';
import { ok } from '../part.ts';
import { portNumber } from '../port-number.ts';
import { allowedRoutes } from './allowed-routes.ts';

const PROTOCOL: TextRule = {
  expected: 'a protocol such as "HTTP", or a domain and a word such as "kgateway.dev/mcp" (at most 255 characters)',
  // The CRD's pattern does not anchor the domain: it asks for no more than its last character.
  test: (value) =>
    value.length <= 255 && /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]\/[A-Za-z0-9]+$/.test(value),
};

const certificateRef = whole(
  narrowing({
    group: optional(text(API_GROUP)),
    kind: optional(text(API_KIND)),
    name: text(OBJECT_NAME),
    namespace: optional(text(DNS_LABEL)),
  }),
);

const tlsBlock = whole(
  narrowing({
    mode: optional(oneOf(['Terminate', 'Passthrough'])),
    certificateRefs: optional(wholeList(certificateRef, { most: 64 })),
    options: optional(entries(ANY_TEXT, text(ANY_TEXT))),
  }),
);

/** A protocol is kept even when the API would refuse its spelling: it is another protocol, and that is what its status says. */
const listenerBlock = narrowing({
  name: text(DNS_SUBDOMAIN),
  hostname: optional(text(HOSTNAME)),
  port: portNumber,
  protocol: looseText(PROTOCOL),
  tls: optional(tlsBlock),
  allowedRoutes,
});

/** A listener is a fault only when it is no mapping: its fields are understood, or not, one by one. */
export const listener: Decoder<Listener> = (value, at, report) => {
  const block = listenerBlock(value, at, report);
  if (!block.ok) return block;
  const { fields, unknown, has } = block.value;
  const { name, port, protocol, hostname, tls, allowedRoutes: routes } = fields;
  if (!routes.ok) return routes;
  const faults = [...unknown, hostname, tls].flatMap((part) => (part.ok ? [] : [part.reason]));
  return ok({ name, port, protocol, hostname: has('hostname'), tls: has('tls'), ...routes.value, faults });
};
