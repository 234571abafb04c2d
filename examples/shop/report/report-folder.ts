/** Reports as PDF files in a folder. */
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import PDFDocument from "pdfkit";

/** One bar of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
}

/** What a report says. */
export interface Report {
  readonly title: string;
  readonly lines: readonly string[];
  readonly chart: { readonly title: string; readonly bars: readonly Bar[] };
  readonly signal: AbortSignal;
}

const PAPER = "#1f2937";
const BAR = "#4f46e5";

export class ReportFolder {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The newest first. */
  async list(): Promise<readonly string[]> {
    await mkdir(this.folder, { recursive: true });
    return (await readdir(this.folder))
      .filter((name) => name.endsWith(".pdf"))
      .sort()
      .reverse();
  }

  /** Writes a report and returns its file name. Nobody ever sees half a report: it is renamed when it is whole. */
  async write(report: Report): Promise<string> {
    await mkdir(this.folder, { recursive: true });
    const name = `report-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.pdf`;
    const path = join(this.folder, name);
    const document = new PDFDocument({ size: "A4", margin: 56, info: { Title: report.title } });
    const written = pipeline(document, createWriteStream(`${path}.part`), { signal: report.signal });
    document.fillColor(PAPER).fontSize(24).text(report.title).moveDown(0.5).fontSize(12);
    for (const line of report.lines) document.text(line);
    drawBars(document, report.chart);
    document.end();
    await written;
    await rename(`${path}.part`, path);
    return name;
  }
}

/** A bar chart with its values above the bars; an empty one says so. */
function drawBars(document: PDFKit.PDFDocument, chart: Report["chart"]): void {
  const [left, top, width, height] = [56, 240, 483, 260];
  document
    .fillColor(PAPER)
    .fontSize(14)
    .text(chart.title, left, top - 40);
  document
    .moveTo(left, top + height)
    .lineTo(left + width, top + height)
    .stroke(PAPER);
  if (chart.bars.length === 0) document.fontSize(11).text("Nobody yet.", left, top + height / 2);
  const tallest = Math.max(1, ...chart.bars.map((bar) => bar.value));
  const step = width / Math.max(6, chart.bars.length);
  chart.bars.forEach((bar, index) => {
    const tall = (bar.value / tallest) * (height - 20);
    const x = left + index * step + step * 0.15;
    document.rect(x, top + height - tall, step * 0.7, tall).fill(BAR);
    document.fillColor(PAPER).fontSize(9);
    document.text(String(bar.value), x, top + height - tall - 12, { width: step * 0.7, align: "center" });
    document.text(bar.label, x, top + height + 6, { width: step * 0.7, align: "center" });
  });
}
