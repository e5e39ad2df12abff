export * from "./layers.js";
export { Module } from "./module.js";
