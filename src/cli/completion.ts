import { oneOf } from './flag-values.ts';
import type { Flag } from './flags.ts';
import { UsageError } from './flags.ts';

/** What completion knows of a command. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Words that may follow the command. */
  readonly words?: readonly string[];
}

export const shells = ['bash', 'zsh', 'fish'] as const;

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

function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, flags, words = [] }) => {
    const valued = flags.filter(({ value }) => value !== undefined).flatMap(spellings);
    return `    ${name}) words=${quote([...flags.map((flag) => `--${flag.name}`), '--help', ...words].join(' '))}; valued=${quote(` ${valued.join(' ')} `)} ;;`;
  });
  return `# bash completion of gatehouse: source <(gatehouse completion bash)
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words="" valued=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quote([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) return ;;
  esac
  case "$valued" in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -X '-*' -- "$current") $(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _gatehouse gatehouse
`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.map(({ name, flags, words = [] }) => {
    const specs = flags.flatMap((flag) =>
      spellings(flag).map((spelling) => {
        const value = flag.value === undefined ? '' : `:${escaped(flag.value)}:_files`;
        return quote(`${flag.repeatable ? '*' : ''}${spelling}[${escaped(flag.help)}]${value}`);
      }),
    );
    const rest = words.length > 0 ? `'1:word:(${words.join(' ')})'` : "'*:file:_files'";
    return `    ${name}) _arguments ${[...specs, "'--help[examples and flags]'", rest].join(' ')} ;;`;
  });
  return `#compdef gatehouse
# zsh completion of gatehouse: source <(gatehouse completion zsh)
_gatehouse() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command="\${words[2]}"
  shift words; (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _gatehouse gatehouse
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, flags, words = [] }) => {
    const after = `-n ${fishQuote(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c gatehouse -n __fish_use_subcommand -f -a ${name} -d ${fishQuote(summary)}`,
      ...words.map((word) => `complete -c gatehouse ${after} -f -a ${word}`),
      ...flags.map(({ name: flag, short, value, help }) => {
        const letter = short === undefined ? '' : ` -s ${short}`;
        return `complete -c gatehouse ${after} -l ${flag}${letter}${value === undefined ? '' : ' -r'} -d ${fishQuote(help)}`;
      }),
    ];
  });
  return `# fish completion of gatehouse: gatehouse completion fish | source\n${lines.join('\n')}\n`;
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
