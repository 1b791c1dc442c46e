import type { Decoded, KindName, ObjectMeta, Parsed, ResourceByKind } from '../model.ts';
import { type Decoder, firstInvalid, ignored, ok, refine, unchecked, valueIfValid, withDefault } from './decoder.ts';
import { dnsLabel, labelKey, labelValue } from './formats.ts';
import { belongIn, type DecodedFields, type Entry, lenientMapping, record } from './mapping.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { anyText, oneOf, type TextRule, text } from './scalars.ts';

/** One kind of Kubernetes object that the program reads: its API resource and its decoder. */
export interface Kind<K extends KindName> {
  readonly kind: K;
  readonly apiVersion: string;
  /** The resource's name in the path of an API request. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Decodes an object of this kind as JSON or YAML gives it; never throws. */
  readonly decode: (value: unknown) => Decoded<ResourceByKind[K]>;
}

/** The API resource of a kind, and the format of its objects' names. */
export interface KindDescription<K extends KindName> {
  readonly kind: K;
  readonly apiVersion: string;
  /** The resource's name in the path of an API request. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly nameRule: TextRule;
  /** Fields of `spec` that are easily written one level too high, or in `metadata`. */
  readonly specFields: readonly string[];
}

/** The parts that all kinds share; without them an object counts as absent (`docs/semantics.md`). */
export interface Frame {
  readonly metadata: ObjectMeta;
  /** `metadata.creationTimestamp`; undefined when it is not as an API server writes it. */
  readonly created: string | undefined;
  readonly labels: Parsed<readonly Entry<string>[]>;
  readonly annotations: Parsed<readonly Entry<string>[]>;
  /** As written; undefined for null. */
  readonly spec: unknown;
}

/**
 * Creates a kind from its description and the decoder of its frame. The decoder returns `Invalid` for a `spec` that
 * makes the object count as absent.
 */
export function defineKind<K extends KindName>(
  description: KindDescription<K>,
  decodeSpec: (frame: Frame, reporter: Reporter) => Parsed<ResourceByKind[K]>,
): Kind<K> {
  const { kind, apiVersion, plural, namespaced } = description;
  const decodeFrame = frameDecoder(description);
  const decode = (value: unknown): Decoded<ResourceByKind[K]> => {
    const reporter = createReporter();
    const { name, namespace, frame } = decodeFrame(value, reporter);
    const resource = frame.ok ? decodeSpec(frame.value, reporter) : frame;
    const problems = reporter.problems();
    if (resource.ok) return { readable: true, resource: resource.value, problems };
    return { readable: false, kind, namespace, name, problems };
  };
  return { kind, apiVersion, plural, namespaced, decode };
}

/** A frame, and the name and namespace where they are valid although the frame is not. */
interface DecodedFrame {
  readonly name: string | undefined;
  /** Empty for a cluster-scoped kind. */
  readonly namespace: string | undefined;
  readonly frame: Parsed<Frame>;
}

/** Decodes the frames of one kind. `status` is accepted unread: controllers write it, users do not. */
function frameDecoder<K extends KindName>(
  description: KindDescription<K>,
): (value: unknown, reporter: Reporter) => DecodedFrame {
  const fields = {
    apiVersion: oneOf([description.apiVersion]),
    kind: oneOf([description.kind]),
    metadata: metadataDecoder(description),
    spec: unchecked,
    status: unchecked,
  };
  const object = lenientMapping(fields, [], {
    ...belongIn('metadata', ['name', ...(description.namespaced ? ['namespace'] : []), 'labels', 'annotations']),
    ...belongIn('spec', description.specFields),
  });
  return (value, reporter) => {
    const block = object(value, [], reporter);
    if (!block.ok) return nameless(block);
    const { apiVersion, kind, metadata, spec } = block.value.fields;
    if (!metadata.ok) return nameless(metadata);
    const { name, namespace, generation, creationTimestamp, labels, annotations } = metadata.value.fields;
    const frame = (): Parsed<Frame> => {
      if (!name.ok) return name;
      if (!namespace.ok) return namespace;
      const meta = { namespace: namespace.value, name: name.value, generation: valueIfValid(generation) };
      const created = valueIfValid(creationTimestamp);
      const parts = { metadata: meta, created, labels, annotations, spec: valueIfValid(spec) };
      return firstInvalid([apiVersion, kind]) ?? ok(parts);
    };
    return { name: valueIfValid(name), namespace: valueIfValid(namespace), frame: frame() };
  };
}

function nameless(frame: Parsed<Frame>): DecodedFrame {
  return { name: undefined, namespace: undefined, frame };
}

type MetadataFields = {
  readonly name: Decoder<string>;
  readonly namespace: Decoder<string>;
  readonly generation: Decoder<number | undefined>;
  readonly creationTimestamp: Decoder<string | undefined>;
  readonly labels: Decoder<readonly Entry<string>[]>;
  readonly annotations: Decoder<readonly Entry<string>[]>;
};

function metadataDecoder({
  kind,
  namespaced,
  nameRule,
  specFields,
}: KindDescription<KindName>): Decoder<DecodedFields<MetadataFields>> {
  const fields: MetadataFields = {
    name: text(nameRule),
    namespace: namespaced ? withDefault(text(dnsLabel), 'default') : noNamespace(kind),
    generation: (value) => ok(Number.isSafeInteger(value) ? Number(value) : undefined),
    creationTimestamp: (value) => ok(typeof value === 'string' && utcSeconds.test(value) ? value : undefined),
    labels: withDefault(record(labelKey, text(labelValue)), []),
    annotations: withDefault(record(anyText, text(anyText)), []),
  };
  return lenientMapping(fields, otherMetadata, belongIn('spec', specFields));
}

/** `metav1.Time` as JSON: texts of this form are in the order of their times. */
const utcSeconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

function noNamespace(kind: KindName): Decoder<string> {
  return refine(ignored(`means nothing: a ${kind} is in no namespace. Remove it.`), () => ok(''));
}

/** The other fields of a Kubernetes ObjectMeta. */
const otherMetadata = [
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'managedFields',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
];
