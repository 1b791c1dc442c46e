import { type Decoder, firstInvalid, ok, optional, refine, withDefault } from '../decode/decoder.ts';
import { apiGroup, apiKind } from '../decode/formats.ts';
import { list } from '../decode/list.ts';
import { allValid, belongIn, strictMapping } from '../decode/mapping.ts';
import { oneOf, text } from '../decode/scalars.ts';
import type { Parsed, RouteNamespaces } from '../model.ts';
import { labelSelector } from './label-selector.ts';

/** `allowedRoutes` of a listener. */
export interface AllowedRoutes {
  readonly namespaces: Parsed<RouteNamespaces>;
  readonly routeKinds: readonly string[];
}

const routeNamespaces: Decoder<RouteNamespaces> = (value, path, reporter) => {
  const block = namespacesBlock(value, path, reporter);
  if (!block.ok) return block;
  const { from, selector } = block.value;
  // An invalid selector is an error even where `from` ignores it: the restriction that it was to express is unknown.
  if (from !== 'Selector') return selector && !selector.selector.ok ? selector.selector : ok({ from });
  if (!selector) {
    const missing = 'is missing, so that no namespace is selected: write one, or another "from".';
    return ok({ from, selector: undefined, selectorError: reporter.warning([...path, 'selector'], missing) });
  }
  if (!selector.selector.ok) return ok({ from, selector: undefined, selectorError: selector.selector.reason });
  return ok({ from, selector: selector.selector.value, selectorError: undefined });
};

const namespacesBlock = allValid(
  strictMapping(
    { from: withDefault(oneOf(['All', 'Same', 'Selector']), 'Same'), selector: optional(labelSelector) },
    belongIn('selector', ['matchLabels', 'matchExpressions']),
  ),
);

/** Formats a kind as `group/kind`, one of the core group as `kind`. */
const routeKind: Decoder<string> = refine(
  allValid(strictMapping({ group: withDefault(text(apiGroup), 'gateway.networking.k8s.io'), kind: text(apiKind) })),
  ({ group, kind }) => ok(group === '' ? kind : `${group}/${kind}`),
);

const allowedRoutesBlock = strictMapping(
  {
    namespaces: withDefault(routeNamespaces, { from: 'Same' }),
    kinds: withDefault(list(routeKind, { most: 8 }), []),
  },
  belongIn('namespaces', ['from', 'selector']),
);

/** Never invalid itself: anything invalid makes `namespaces` invalid. Absent: the Gateway's own namespace. */
export const allowedRoutes: Decoder<AllowedRoutes> = (value, path, reporter) => {
  const block = allowedRoutesBlock(value === undefined ? {} : value, path, reporter);
  if (!block.ok) return ok({ namespaces: block, routeKinds: [] });
  const { namespaces, kinds } = block.value.fields;
  const listed = kinds.ok ? kinds.value : [];
  const invalid = block.value.unknown[0] ?? firstInvalid([namespaces, kinds, ...listed]);
  const routeKinds = listed.flatMap((kind) => (kind.ok ? [kind.value] : []));
  return ok({ namespaces: invalid ?? namespaces, routeKinds });
};
