import { oneOf } from './flag-values.ts';
import type { Flag } from './flags.ts';
import { UsageError } from './flags.ts';

/** What completion knows of a command. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** The placeholder of the arguments that are no flags; absent for a command that has none. */
  readonly arguments?: string;
  /** The words that the arguments may be; absent: they are files. */
  readonly words?: readonly string[];
}

const shells = ['bash', 'zsh', 'fish'] as const;

/** Writes the completion script of a shell. It is generated from the declarations of the flags, and starts no program. */
export function completionScript(shell: string | undefined, commands: readonly CompletedCommand[]): string {
  if (shell === undefined) throw new UsageError(`say which shell: gatehouse completion ${shells.join('|')}.`);
  switch (oneOf('shell', shell, shells)) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

/** The flags that stand before a command. */
const globals = [
  { name: 'help', help: 'the commands' },
  { name: 'version', help: 'the version' },
];

/** What may follow a flag: one of some words, a file, another text, or nothing. */
type Completed =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'text' | 'none' };

function completedValue({ value }: Flag): Completed {
  if (value === undefined) return { kind: 'none' };
  const [, choices] = /^<([\w.-]+(?:\|[\w.-]+)+)>$/.exec(value) ?? [];
  if (choices !== undefined) return { kind: 'words', words: choices.split('|') };
  return { kind: /file|folder|path/.test(value) ? 'file' : 'text' };
}

function takesFiles({ arguments: positionals, words }: CompletedCommand): boolean {
  return positionals !== undefined && words === undefined;
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map((command) => {
    const { name, flags, words = [] } = command;
    const values = flags.flatMap((flag) => {
      const value = completedValue(flag);
      if (value.kind === 'none') return [];
      const set = value.kind === 'words' ? `values=${quote(value.words.join(' '))}` : `takes=${value.kind}`;
      return [`${spellings(flag).join('|')}) ${set} ;;`];
    });
    const offered = [...flags.map((flag) => `--${flag.name}`), '--help', ...words].join(' ');
    const files = takesFiles(command) ? ' files=yes' : '';
    return `    ${name}) words=${quote(offered)}${files}; case "$previous" in ${values.join(' ')} esac ;;`;
  });
  const first = [...commands.map(({ name }) => name), ...globals.map(({ name }) => `--${name}`)];
  return `# bash completion of gatehouse: source <(gatehouse completion bash)
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local words="" values="" takes="" files=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quote(first.join(' '))} -- "$current"))
    return
  fi
  # Bash divides --flag=value into three words.
  if [ "$current" = "=" ]; then current=""
  elif [ "$previous" = "=" ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) return ;;
  esac
  case "$takes" in
    file) COMPREPLY=($(compgen -f -- "$current")); return ;;
    text) return ;;
  esac
  if [ -n "$values" ]; then COMPREPLY=($(compgen -W "$values" -- "$current")); return; fi
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *)
      COMPREPLY=($(compgen -W "$words" -X '-*' -- "$current"))
      if [ -n "$files" ]; then COMPREPLY+=($(compgen -f -- "$current")); fi ;;
  esac
}
complete -o filenames -F _gatehouse gatehouse
`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  const described = (name: string, text: string): string => `    ${quote(`${name}:${text}`)}`;
  const cases = commands.map((command) => {
    const { name, flags, words } = command;
    const specs = flags.flatMap((flag) => spellings(flag).map((spelling) => quote(zshSpec(flag, spelling))));
    const rest =
      words === undefined ? (takesFiles(command) ? ["'*:file:_files'"] : []) : [`'1:word:(${words.join(' ')})'`];
    return `    ${name}) _arguments ${[...specs, "'--help[examples and flags]'", ...rest].join(' ')} ;;`;
  });
  return `#compdef gatehouse
# zsh completion of gatehouse: source <(gatehouse completion zsh)
_gatehouse() {
  local -a commands=(
${commands.map(({ name, summary }) => described(name, summary)).join('\n')}
  )
  local -a flags=(
${globals.map(({ name, help }) => described(`--${name}`, help)).join('\n')}
  )
  if (( CURRENT == 2 )); then
    if [[ "\${words[2]}" == -* ]]; then _describe flag flags; else _describe command commands; fi
    return
  fi
  local command="\${words[2]}"
  shift words; (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _gatehouse gatehouse
`;
}

/** A flag as _arguments reads it: `--name=` takes its value after an equals sign or as the next word. */
function zshSpec(flag: Flag, spelling: string): string {
  const value = completedValue(flag);
  const head = `${flag.repeatable ? '*' : ''}${spelling}`;
  const joint = value.kind === 'none' ? '' : spelling.startsWith('--') ? '=' : '+';
  const help = `[${escaped(flag.help)}]`;
  if (value.kind === 'none') return `${head}${help}`;
  const label = escaped(flag.value ?? '');
  const action = value.kind === 'words' ? `(${value.words.join(' ')})` : value.kind === 'file' ? '_files' : ' ';
  return `${head}${joint}${help}:${label}:${action}`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => {
    const { name, summary, flags, words = [] } = command;
    const after = `complete -c gatehouse -n '__gatehouse_command ${name}'`;
    return [
      `complete -c gatehouse -n __gatehouse_first -f -a ${name} -d ${fishQuote(summary)}`,
      ...(takesFiles(command) ? [] : [`${after} -f`]),
      ...words.map((word) => `${after} -a ${word}`),
      ...flags.map((flag) => `${after} -l ${flag.name}${fishValue(flag)} -d ${fishQuote(flag.help)}`),
      `${after} -l help -d 'examples and flags'`,
    ];
  });
  return `# fish completion of gatehouse: gatehouse completion fish | source
function __gatehouse_first
  test (count (commandline -opc)) -eq 1
end
function __gatehouse_command
  set -l words (commandline -opc)
  test (count $words) -gt 1; and test "$words[2]" = "$argv[1]"
end
${globals.map(({ name, help }) => `complete -c gatehouse -n __gatehouse_first -f -l ${name} -d '${help}'`).join('\n')}
${lines.join('\n')}
`;
}

function fishValue(flag: Flag): string {
  const letter = flag.short === undefined ? '' : ` -s ${flag.short}`;
  const value = completedValue(flag);
  switch (value.kind) {
    case 'none':
      return letter;
    case 'file':
      return `${letter} -r -F`;
    case 'text':
      return `${letter} -x`;
    case 'words':
      return `${letter} -x -a ${fishQuote(value.words.join(' '))}`;
  }
}

function spellings({ name, short }: Flag): readonly string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

/** A word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Escapes what _arguments of zsh reads in a description. */
function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, '\\$&');
}
