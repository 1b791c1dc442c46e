import { type Decoder, optional } from './decode/decoder.ts';
import { API_GROUP, API_KIND, DNS_LABEL, OBJECT_NAME } from './decode/formats.ts';
import { list } from './decode/list.ts';
import { mapping, open } from './decode/mapping.ts';
import { oneOf, text } from './decode/scalars.ts';
import { portNumber } from './port-number.ts';

/** Fields of a Gateway that mean nothing to an MCP listener. They are read for their mistakes only. */

const objectRef = open({
  group: optional(text(API_GROUP)),
  kind: optional(text(API_KIND)),
  name: text(OBJECT_NAME),
  namespace: optional(text(DNS_LABEL)),
});

const validation = open({
  caCertificateRefs: list(objectRef, { least: 1, most: 16 }),
  mode: optional(oneOf(['AllowValidOnly', 'AllowInsecureFallback'])),
});

const frontend = open({ validation: optional(validation) });

/** `spec.tls`. */
export const gatewayTls: Decoder<unknown> = open({
  backend: optional(open({ clientCertificateRef: optional(objectRef) })),
  frontend: optional(
    open({ default: frontend, perPort: optional(list(open({ port: portNumber, tls: frontend }), { most: 64 })) }),
  ),
});

/** `spec.allowedListeners`: whose ListenerSets may attach. */
export const allowedListeners: Decoder<unknown> = open({
  namespaces: optional(
    open({ from: optional(oneOf(['All', 'Selector', 'Same', 'None'])), selector: optional(mapping) }),
  ),
});
