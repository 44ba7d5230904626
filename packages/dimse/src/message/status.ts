/** Status codes by service (PS3.7 C, PS3.4 B.2.3 and C.4.1.1.4). Provisional: @scanflow/dicom takes over. */

export interface StatusDescription {
  readonly category: 'success' | 'warning' | 'failure' | 'pending' | 'cancel';
  readonly meaning: string;
  readonly transient: boolean;
}

export function describeStatus(_service: 'C-STORE' | 'C-FIND' | 'C-ECHO', status: number): StatusDescription {
  const hex = `status ${status.toString(16).toUpperCase().padStart(4, '0')}`;
  if (status === 0) return { category: 'success', meaning: 'success', transient: false };
  if (status === 0xff00 || status === 0xff01) return { category: 'pending', meaning: hex, transient: false };
  if (status === 0xfe00) return { category: 'cancel', meaning: 'cancelled', transient: false };
  const top = status >> 12;
  if (top === 0xb || status === 1 || [0x0107, 0x0116].includes(status)) {
    return { category: 'warning', meaning: hex, transient: false };
  }
  return { category: 'failure', meaning: hex, transient: status >> 8 === 0xa7 || top === 0xc };
}
