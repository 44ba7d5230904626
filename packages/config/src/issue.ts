/** A mistake in the configuration, and where it is. */

export interface ConfigIssue {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** Dotted, `scanners.prisma.aet`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** `file:line:column: path: message`, which editors and terminals turn into links. */
export const formatIssue = ({ file, line, column, path, message }: ConfigIssue): string =>
  `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
