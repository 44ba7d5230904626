/** What speaks on a connection where DICOM was expected, by its first bytes. Pure. */

export type Stranger = 'HTTP' | 'TLS' | 'SSH' | 'FTP or mail' | 'VNC';

const BY_TEXT: readonly (readonly [RegExp, Stranger])[] = [
  // a server's answer, what some answer to nonsense, and a browser's request
  [/^(HTTP\/|<!?[a-z]|(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH) )/i, 'HTTP'],
  [/^SSH-/, 'SSH'],
  [/^(\d{3}[ -]|\* OK|\+OK)/, 'FTP or mail'],
  [/^RFB \d/, 'VNC'],
];

/** Undefined where it is not known. */
export function strangerIn(bytes: Uint8Array): Stranger | undefined {
  const [type = 0, major = 0] = bytes;
  // alert and handshake records (RFC 8446 5.1)
  if ((type === 0x15 || type === 0x16) && major === 0x03) return 'TLS';
  const text = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  return BY_TEXT.find(([form]) => form.test(text))?.[1];
}

/** For a person who called it. */
export function whatToDo(stranger: Stranger): string {
  switch (stranger) {
    case 'HTTP':
      return 'This is an HTTP port: give the DICOM port of that node (of an Orthanc 4242, where its web page is at 8042).';
    case 'TLS':
      return 'This port speaks TLS: call it with TLS (--tls of a command, tls of a destination).';
    default:
      return `This is a port for ${stranger}: give the DICOM port of that node.`;
  }
}
