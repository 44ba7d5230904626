/** What the configuration knows of the scanner of an exam, where its report does not say it. Pure. */
import type { ExamSummary } from '@scanflow/booking';

/** By each AE title of the scanner. */
export type KnownScanners = ReadonlyMap<string, { readonly aet: string; readonly modality: string }>;

/** The summary with modality and AE title of its scanner; the attributes of the record stay as the scanner sent them. */
export function fillIn(summary: ExamSummary, scanners: KnownScanners): ExamSummary {
  const scanner = scanners.get(summary.stationAet) ?? scanners.get(summary.callingAet);
  if (scanner === undefined) return summary;
  const { aet, modality } = scanner;
  return { ...summary, modality: summary.modality || modality, stationAet: summary.stationAet || aet };
}

/** The scanners of the configuration under all their AE titles. */
export function knownScanners(
  scanners: Readonly<
    Record<
      string,
      { readonly aet: string; readonly modality: string; readonly sends?: readonly string[] | undefined }
    >
  >,
): KnownScanners {
  return new Map(
    Object.values(scanners).flatMap(({ aet, modality, sends = [] }) =>
      [aet, ...sends].map((title) => [title, { aet, modality }] as const),
    ),
  );
}
