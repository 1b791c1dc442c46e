import type { Identity, KindName, Part } from '../model.ts';
import { firstFault, ok, understood } from '../part.ts';
import { anything, type Decoder, defaulted, pointless, refine } from './decoder.ts';
import { DNS_LABEL, LABEL_KEY, LABEL_VALUE } from './formats.ts';
import { type Block, type Entry, entries, open } from './mapping.ts';
import type { Report } from './reporter.ts';
import { ANY_TEXT, oneOf, type TextRule, text } from './scalars.ts';

/** Where a kind is found, and how its objects are named. */
export interface KindDescription<K extends KindName> {
  readonly kind: K;
  readonly apiVersion: string;
  /** The resource's name in the path of an API request. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly nameRule: TextRule;
}

/** An object that can be told apart. */
export interface Frame {
  readonly identity: Identity;
  readonly labels: Part<readonly Entry<string>[]>;
  readonly annotations: Part<readonly Entry<string>[]>;
  /** As written; null is absent. */
  readonly spec: unknown;
}

/** A frame, and what can be read of the identity when the frame cannot. */
export interface FrameReading {
  readonly name: string | undefined;
  /** Empty for a cluster-scoped kind. */
  readonly namespace: string | undefined;
  readonly frame: Part<Frame>;
}

/** Reads the frames of one kind. `status` is not looked at: it is an answer, and no part of what was asked for. */
export function frameReader<K extends KindName>(
  about: KindDescription<K>,
): (value: unknown, report: Report) => FrameReading {
  const object = open({
    apiVersion: oneOf([about.apiVersion]),
    kind: oneOf([about.kind]),
    metadata: metadataOf(about),
    spec: anything,
    status: anything,
  });
  return (value, report) => {
    const block = object(value, [], report);
    if (!block.ok) return nameless(block);
    const { apiVersion, kind, metadata, spec } = block.value.fields;
    if (!metadata.ok) return nameless(metadata);
    const { name, namespace, generation, labels, annotations } = metadata.value.fields;
    const frame = (): Part<Frame> => {
      if (!name.ok) return name;
      if (!namespace.ok) return namespace;
      const identity = { namespace: namespace.value, name: name.value, generation: understood(generation) };
      return firstFault([apiVersion, kind]) ?? ok({ identity, labels, annotations, spec: understood(spec) });
    };
    return { name: understood(name), namespace: understood(namespace), frame: frame() };
  };
}

function nameless(frame: Part<Frame>): FrameReading {
  return { name: undefined, namespace: undefined, frame };
}

type Metadata = {
  readonly name: Decoder<string>;
  readonly namespace: Decoder<string>;
  readonly generation: Decoder<number | undefined>;
  readonly labels: Decoder<readonly Entry<string>[]>;
  readonly annotations: Decoder<readonly Entry<string>[]>;
};

function metadataOf(about: KindDescription<KindName>): Decoder<Block<Metadata>> {
  const fields: Metadata = {
    name: text(about.nameRule),
    namespace: about.namespaced ? defaulted(text(DNS_LABEL), 'default') : noNamespace(about.kind),
    generation: (value) => ok(Number.isSafeInteger(value) ? Number(value) : undefined),
    labels: defaulted(entries(LABEL_KEY, text(LABEL_VALUE)), []),
    annotations: defaulted(entries(ANY_TEXT, text(ANY_TEXT)), []),
  };
  return open(fields, OTHER_METADATA);
}

function noNamespace(kind: KindName): Decoder<string> {
  return refine(pointless(`means nothing: a ${kind} is in no namespace. Remove it.`), () => ok(''));
}

/** What else a Kubernetes ObjectMeta has. */
const OTHER_METADATA = [
  'creationTimestamp',
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
