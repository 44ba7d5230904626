/** The line that shows how far a run is; without a terminal, a line at each tenth. */
const BAR = 24;

export interface Progress {
  (what: string, done: number, total: number): void;
}

/** Writes to `out`. */
export function progressTo(out: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  let last = '';
  return (what, done, total) => {
    const part = total === 0 ? 1 : Math.min(1, done / total);
    const full = Math.round(BAR * part);
    const text = `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${done}/${total} ${what}`;
    const step = out.isTTY === true ? text : `${what} ${Math.floor(part * 10)}`;
    if (step === last) return;
    last = step;
    out.write(out.isTTY === true ? `\r\u001b[2K${text}${part === 1 ? '\n' : ''}` : `${text}\n`);
  };
}
