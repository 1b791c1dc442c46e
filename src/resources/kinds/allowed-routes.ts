import { type Decoder, defaulted, optional, refine } from '../decode/decoder.ts';
import { API_GROUP, API_KIND } from '../decode/formats.ts';
import { list } from '../decode/list.ts';
import { narrowing, whole } from '../decode/mapping.ts';
import { oneOf, text } from '../decode/scalars.ts';
import type { AllowedNamespaces, Part } from '../model.ts';
import { firstFault, ok } from '../part.ts';
import { labelSelector } from './label-selector.ts';

/** What `allowedRoutes` of a listener says. */
export interface AllowedRoutes {
  readonly allowed: Part<AllowedNamespaces>;
  readonly routeKinds: readonly string[];
}

const namespaces: Decoder<AllowedNamespaces> = (value, at, report) => {
  const block = namespacesBlock(value, at, report);
  if (!block.ok) return block;
  const { from, selector } = block.value;
  // What `from` does not ask for must be understood all the same: nobody knows what it was to narrow.
  if (from !== 'Selector') return selector && !selector.selector.ok ? selector.selector : ok({ from });
  if (!selector) {
    const missing = 'is missing, so that no namespace is selected: write one, or another "from".';
    return ok({ from, selector: undefined, fault: report.warning([...at, 'selector'], missing) });
  }
  if (!selector.selector.ok) return ok({ from, selector: undefined, fault: selector.selector.reason });
  return ok({ from, selector: selector.selector.value, fault: undefined });
};

const namespacesBlock = whole(
  narrowing({ from: defaulted(oneOf(['All', 'Same', 'Selector']), 'Same'), selector: optional(labelSelector) }),
);

/** A kind as `group/kind`; of the core group the kind alone. */
const routeKind: Decoder<string> = refine(
  whole(narrowing({ group: defaulted(text(API_GROUP), 'gateway.networking.k8s.io'), kind: text(API_KIND) })),
  ({ group, kind }) => ok(group === '' ? kind : `${group}/${kind}`),
);

const allowedRoutesBlock = narrowing({
  namespaces: defaulted(namespaces, { from: 'Same' }),
  kinds: defaulted(list(routeKind, { most: 8 }), []),
});

/** Always has a value: what is not understood is the fault of `allowed`. Absent, it allows the Gateway's own namespace. */
export const allowedRoutes: Decoder<AllowedRoutes> = (value, at, report) => {
  const block = allowedRoutesBlock(value === undefined ? {} : value, at, report);
  if (!block.ok) return ok({ allowed: block, routeKinds: [] });
  const { namespaces: allowed, kinds } = block.value.fields;
  const listed = kinds.ok ? kinds.value : [];
  const fault = block.value.unknown[0] ?? firstFault([allowed, kinds, ...listed]);
  return ok({ allowed: fault ?? allowed, routeKinds: listed.flatMap((part) => (part.ok ? [part.value] : [])) });
};
