import type { Plugin } from 'esbuild';

/** A module that a package asks for, and what it gets in dist/ instead. */
interface Replacement {
  readonly module: RegExp;
  /** The files that ask. Others get the module itself. */
  readonly asked: RegExp;
  /** CommonJS. */
  readonly contents: (module: string) => string;
}

/**
 * Parts of packages that none of the programs uses, and that the package loads, or would have V8 read, all the same: a
 * third of what `serve` loads until it listens. The packages are pinned, so that a part that is missed is one of a new
 * version; `scripts/install-check.sh` starts every program from dist/.
 */
const replacements: readonly Replacement[] = [
  {
    // Reads .proto files at run time, for channelz and ORCA, which are not served. It brings a second protobufjs.
    module: /^@grpc\/proto-loader$/,
    asked: /\/@grpc\/grpc-js\//,
    contents: () => "exports.loadSync = () => { throw new Error('dist/ has no @grpc/proto-loader'); };",
  },
  {
    // The streams of Node in place of a copy of those of an earlier one: what the package itself does when the
    // environment variable READABLE_STREAM is `disable`.
    module: /^readable-stream(\/lib\/_stream_writable\.js)?$/,
    asked: /\/winston(-transport)?\//,
    contents: (module) => {
      const part = module === 'readable-stream' ? '' : '.Writable';
      return `module.exports = process.getBuiltinModule('node:stream')${part};`;
    },
  },
  {
    // The log has a transport of its own.
    module: /^\.\/winston\/transports$/,
    asked: /\/winston\/lib\/winston\.js$/,
    contents: () => '',
  },
];

const namespace = 'package-part';

/** Replaces what the bundled packages load and the programs do not use. */
export const packageParts: Plugin = {
  name: 'package-parts',
  setup: ({ onResolve, onLoad }) => {
    for (const { module, asked, contents } of replacements) {
      onResolve({ filter: module }, ({ path, importer }) =>
        asked.test(importer) ? { path, namespace, pluginData: contents(path) } : undefined,
      );
    }
    onLoad({ filter: /.*/, namespace }, ({ pluginData }) => ({ contents: pluginData }));
  },
};
