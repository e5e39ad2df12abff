// topofr gallery: the commands that look at galleries and change them. Adding people: enroll.ts.
import type { Command } from "commander";
import { addCommand } from "./command.js";
import { addGalleryExport, addGalleryImport } from "./galleryExport.js";
import { addGalleryInfo, addGalleryList } from "./galleryList.js";
import { addGalleryRemove } from "./galleryRemove.js";

export function addGallery(program: Command): void {
  const gallery = addCommand(
    program,
    "gallery",
    "Look at a gallery, remove people from it, export and import it.",
    ["gallery list people.gallery", "gallery remove people.gallery --identity Ann"],
  );
  addGalleryInfo(gallery);
  addGalleryList(gallery);
  addGalleryRemove(gallery);
  addGalleryExport(gallery);
  addGalleryImport(gallery);
}
