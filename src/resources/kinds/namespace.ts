import { quoted } from '../../json/quoted.ts';
import { ok } from '../decode/decoder.ts';
import { dnsLabel } from '../decode/formats.ts';
import { defineKind, type Frame, type Kind } from '../decode/kind.ts';
import type { Reporter } from '../decode/reporter.ts';
import type { NamespaceLabels } from '../model.ts';

/** The label that the API server sets on every namespace; its value is the name. */
const nameLabel = 'kubernetes.io/metadata.name';

/** Labels of one Namespace: those of clusters have some ten. Each is looked up by key, and by key and value. */
const maxLabels = 256;

/** Namespace: its labels decide which listeners with a selector allow its Services. */
export const namespace: Kind<'Namespace'> = defineKind(
  {
    kind: 'Namespace',
    apiVersion: 'v1',
    plural: 'namespaces',
    namespaced: false,
    nameRule: dnsLabel,
    specFields: [],
  },
  ({ metadata, labels }, reporter) =>
    ok({ kind: 'Namespace', metadata, labels: namespaceLabels(metadata.name, labels, reporter) }),
);

function namespaceLabels(name: string, written: Frame['labels'], reporter: Reporter): NamespaceLabels {
  if (!written.ok) return { known: false };
  if (written.value.length > maxLabels) {
    const count = `has ${written.value.length} labels, and no selector matches a namespace with more than ${maxLabels}`;
    reporter.error(['metadata', 'labels'], `${count}: remove some.`);
    return { known: false };
  }
  const labels = new Map([[nameLabel, name]]);
  for (const { key, value } of written.value) {
    if (!value.ok) return { known: false };
    if (key !== nameLabel) labels.set(key, value.value);
    else if (value.value !== name) warnOfNameLabel(name, value.value, reporter);
  }
  return { known: true, labels: [...labels].sort(([a], [b]) => (a < b ? -1 : 1)) };
}

function warnOfNameLabel(name: string, value: string, reporter: Reporter): void {
  reporter.warning(['metadata', 'labels', nameLabel], `is ${quoted(value)}, but is always ${quoted(name)}: remove it.`);
}
