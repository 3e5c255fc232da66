"""The CSI plugin of the lab: gives pods the emulator's disks, under the name of Tencent's own."""
