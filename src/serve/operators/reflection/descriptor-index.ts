import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

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

/** @param descriptorSet an encoded FileDescriptorSet */
export function indexDescriptors(descriptorSet: Uint8Array): DescriptorIndex {
  const files = new Map<string, DescribedFile>();
  const symbols = new Map<string, DescribedFile>();
  const extensions = new Map<string, Map<number, DescribedFile>>();
  for (const proto of fromBinary(FileDescriptorSetSchema, descriptorSet).file) {
    const bytes = Buffer.from(toBinary(FileDescriptorProtoSchema, proto));
    const file = { name: proto.name, dependencies: proto.dependency, bytes };
    files.set(file.name, file);
    for (const symbol of symbolsOf(proto)) symbols.set(symbol, file);
    for (const message of messagesOf(proto)) if (!extensions.has(message)) extensions.set(message, new Map());
    for (const { extendee, number } of extensionsIn([proto])) {
      const message = extendee.replace(/^\./, '');
      const known = extensions.get(message) ?? new Map<number, DescribedFile>();
      extensions.set(message, known.set(number, file));
    }
  }
  return {
    file: (name) => files.get(name),
    declaring: (symbol) => symbols.get(symbol),
    extensionsOf: (message) => extensions.get(message),
  };
}

function* symbolsOf(file: FileDescriptorProto): Iterable<string> {
  const scope = file.package === '' ? '' : `${file.package}.`;
  for (const service of file.service) {
    yield `${scope}${service.name}`;
    for (const { name } of service.method) yield `${scope}${service.name}.${name}`;
  }
  yield* declarationsIn(scope, file.messageType, file);
}

function* declarationsIn(
  scope: string,
  messages: readonly DescriptorProto[],
  { enumType, extension }: Pick<DescriptorProto, 'enumType' | 'extension'>,
): Iterable<string> {
  for (const { name, value } of enumType) {
    yield `${scope}${name}`;
    // The full name of an enum value has the scope of the enum, not the enum itself.
    for (const { name: member } of value) yield `${scope}${member}`;
  }
  for (const { name } of extension) yield `${scope}${name}`;
  for (const message of messages) {
    yield `${scope}${message.name}`;
    for (const { name } of [...message.field, ...message.oneofDecl]) yield `${scope}${message.name}.${name}`;
    yield* declarationsIn(`${scope}${message.name}.`, message.nestedType, message);
  }
}

function* messagesOf(file: FileDescriptorProto): Iterable<string> {
  yield* namesIn(file.package === '' ? '' : `${file.package}.`, file.messageType);
}

function* namesIn(scope: string, messages: readonly DescriptorProto[]): Iterable<string> {
  for (const { name, nestedType } of messages) {
    yield `${scope}${name}`;
    yield* namesIn(`${scope}${name}.`, nestedType);
  }
}

function* extensionsIn(
  scopes: readonly (FileDescriptorProto | DescriptorProto)[],
): Iterable<Pick<FieldDescriptorProto, 'extendee' | 'number'>> {
  for (const scope of scopes) {
    yield* scope.extension;
    yield* extensionsIn('messageType' in scope ? scope.messageType : scope.nestedType);
  }
}
