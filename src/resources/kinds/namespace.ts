import { DNS_LABEL } from '../decode/formats.ts';
import type { Frame } from '../decode/kind.ts';
import type { Report } from '../decode/reporter.ts';
import { defineKind, type Kind } from '../kind.ts';
import type { NamespaceLabels } from '../model.ts';
import { ok } from '../part.ts';
import { quoted } from '../path.ts';

/** Every namespace has this label, and its value is the name. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Its labels decide which listeners with a selector allow its Services. */
export const namespace: Kind<'Namespace'> = defineKind(
  { kind: 'Namespace', apiVersion: 'v1', plural: 'namespaces', namespaced: false, nameRule: DNS_LABEL },
  ({ identity, labels }, report) =>
    ok({ kind: 'Namespace', identity, labels: namespaceLabels(identity.name, labels, report) }),
);

function namespaceLabels(name: string, written: Frame['labels'], report: Report): NamespaceLabels {
  if (!written.ok) return { known: false };
  const labels = new Map([[NAME_LABEL, name]]);
  for (const { key, value: label } of written.value) {
    if (!label.ok) return { known: false };
    if (key !== NAME_LABEL) labels.set(key, label.value);
    else if (label.value !== name) ignored(name, label.value, report);
  }
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  // Without a prototype: `constructor` is a good label key, and must be found only where somebody set it.
  return { known: true, labels: Object.assign(Object.create(null), Object.fromEntries(sorted)) };
}

function ignored(name: string, value: string, report: Report): void {
  report.warning(['metadata', 'labels', NAME_LABEL], `is ${quoted(value)}, but is always ${quoted(name)}: remove it.`);
}
