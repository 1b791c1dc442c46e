import { anything, type Decoder, defaulted, optional, refine, requiredOr } from '../decode/decoder.ts';
import { DNS_SUBDOMAIN, HOSTNAME, LABEL_KEY, LABEL_VALUE, OBJECT_NAME } from '../decode/formats.ts';
import { parseIp } from '../decode/ip-address.ts';
import { list } from '../decode/list.ts';
import { entries, open, whole } from '../decode/mapping.ts';
import { ANY_TEXT, longerThan, looseText, type TextRule, text } from '../decode/scalars.ts';
import { allowedListeners, gatewayTls } from '../gateway-unread.ts';
import { defineKind, type Kind } from '../kind.ts';
import type { Address, Gateway, Part } from '../model.ts';
import { localParametersRef } from '../parameters-ref.ts';
import { ok, written } from '../part.ts';
import { quoted } from '../path.ts';
import { listener } from './listener.ts';

const ADDRESS_TYPE: TextRule = {
  expected: '"IPAddress", "Hostname", "NamedAddress", or a domain and a path (at most 253 characters)',
  test: (value) =>
    value.length <= 253 && /^Hostname|IPAddress|NamedAddress|[a-z0-9]\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(value),
};

const ADDRESS_VALUE: TextRule = { expected: 'at most 253 characters', test: (value) => !longerThan(253, value) };

/** A type is kept even when the API would refuse its spelling: an unsupported one refuses the Gateway. */
const address: Decoder<Address> = refine(
  whole(open({ type: defaulted(looseText(ADDRESS_TYPE), 'IPAddress'), value: defaulted(text(ADDRESS_VALUE), '') })),
  ({ type, value }, at, report) => {
    const place = [...at, 'value'];
    const isIp = type === 'IPAddress' && value !== '';
    if (isIp && !parseIp(value)) return report.error(place, `is ${quoted(value)}: write an IPv4 or IPv6 address.`);
    const isHostname = type === 'Hostname' && value !== '';
    if (isHostname && !HOSTNAME.test(value))
      return report.error(place, `is ${quoted(value)}: write ${HOSTNAME.expected}.`);
    return ok({ type, value });
  },
);

const infrastructure = open({
  labels: optional(entries(LABEL_KEY, text(LABEL_VALUE))),
  annotations: optional(entries(ANY_TEXT, text(ANY_TEXT))),
  parametersRef: optional(localParametersRef),
});

const gatewaySpec = open({
  gatewayClassName: text(OBJECT_NAME),
  listeners: requiredOr(list(listener, { least: 1, most: 64 }), [], 'a list of listeners'),
  addresses: defaulted(list(address, { most: 16 }), []),
  infrastructure: optional(infrastructure),
  allowedListeners: optional(allowedListeners),
  tls: optional(gatewayTls),
  defaultScope: anything,
});

/** A data plane, with what it listens on. */
export const gateway: Kind<'Gateway'> = defineKind(
  {
    kind: 'Gateway',
    apiVersion: 'gateway.networking.k8s.io/v1',
    plural: 'gateways',
    namespaced: true,
    nameRule: DNS_SUBDOMAIN,
  },
  ({ identity, spec }, report): Part<Gateway> => {
    const block = gatewaySpec(spec, ['spec'], report);
    if (!block.ok) return block;
    const { gatewayClassName, listeners, addresses, infrastructure: parameters } = block.value.fields;
    if (!listeners.ok) return listeners;
    if (!addresses.ok) return addresses;
    const parametersRef = parameters.ok ? parameters.value?.fields.parametersRef : parameters;
    return ok({
      kind: 'Gateway',
      identity,
      className: gatewayClassName,
      parametersRef: parametersRef && written(parametersRef),
      addresses: addresses.value,
      listeners: listeners.value,
    });
  },
);
