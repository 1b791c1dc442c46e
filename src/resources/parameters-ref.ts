import { type Decoder, optional, pointless, refine } from './decode/decoder.ts';
import { API_GROUP, API_KIND, DNS_LABEL, OBJECT_NAME } from './decode/formats.ts';
import { open, whole } from './decode/mapping.ts';
import { text } from './decode/scalars.ts';
import type { ParametersRef } from './model.ts';
import { ok } from './part.ts';

const reference = { group: text(API_GROUP), kind: text(API_KIND), name: text(OBJECT_NAME) };

/** The reference of a GatewayClass. Its namespace is never defaulted: absent stays absent. */
export const classParametersRef: Decoder<ParametersRef> = refine(
  whole(open({ ...reference, namespace: optional(text(DNS_LABEL)) })),
  ({ group, kind, name, namespace }) => ok({ group, kind, name, namespace }),
);

/** The reference of a Gateway, which stays in the Gateway's namespace. */
export const localParametersRef: Decoder<ParametersRef> = refine(
  whole(
    open({
      ...reference,
      namespace: pointless('means nothing: the parameters are in the namespace of the Gateway. Remove it.'),
    }),
  ),
  ({ group, kind, name }) => ok({ group, kind, name, namespace: undefined }),
);
