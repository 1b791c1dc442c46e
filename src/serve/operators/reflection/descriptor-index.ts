import {
  createFileRegistry,
  type DescEnum,
  type DescExtension,
  type DescMessage,
  type DescService,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** A .proto file. */
export interface DescribedFile {
  readonly name: string;
  /** Names of the imported files. */
  readonly dependencies: readonly string[];
  /** The encoded FileDescriptorProto. */
  readonly bytes: Buffer;
}

/** The files of a descriptor set, by what they declare. */
export interface DescriptorIndex {
  file(name: string): DescribedFile | undefined;
  /** Returns the file that declares the full name of a message, enum, service, extension, or a member of one. */
  declaring(symbol: string): DescribedFile | undefined;
  /** Returns the extensions of a message by number, or undefined for an unknown message. */
  extensionsOf(message: string): ReadonlyMap<number, DescribedFile> | undefined;
}

/**
 * Indexes a descriptor set.
 *
 * @param descriptorSet an encoded FileDescriptorSet, each file after its imports
 */
export function indexDescriptors(descriptorSet: Uint8Array): DescriptorIndex {
  const files = new Map<string, DescribedFile>();
  const symbols = new Map<string, DescribedFile>();
  const extensions = new Map<string, Map<number, DescribedFile>>();
  for (const file of createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet)).files) {
    const { name, dependency: dependencies } = file.proto;
    const described = { name, dependencies, bytes: Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)) };
    files.set(name, described);
    const types = [...nestedTypes(file)];
    for (const type of types) {
      for (const symbol of symbolsOf(type)) symbols.set(symbol, described);
      if (type.kind === 'message') extensions.set(type.typeName, new Map());
    }
    for (const type of types) {
      if (type.kind === 'extension') extensions.get(type.extendee.typeName)?.set(type.number, described);
    }
  }
  return {
    file: (name) => files.get(name),
    declaring: (symbol) => symbols.get(symbol),
    extensionsOf: (message) => extensions.get(message),
  };
}

/** Yields the full name of a type and of its members. */
function* symbolsOf(type: DescMessage | DescEnum | DescService | DescExtension): Iterable<string> {
  const { typeName } = type;
  yield typeName;
  switch (type.kind) {
    case 'message':
      for (const { name } of [...type.fields, ...type.oneofs]) yield `${typeName}.${name}`;
      return;
    case 'service':
      for (const { name } of type.methods) yield `${typeName}.${name}`;
      return;
    case 'enum': {
      // The full name of an enum value has the scope of the enum, not the enum itself.
      const scope = typeName.slice(0, typeName.lastIndexOf('.') + 1);
      for (const { name } of type.values) yield `${scope}${name}`;
      return;
    }
    case 'extension':
  }
}
