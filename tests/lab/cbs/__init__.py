"""An emulated Tencent CBS: the documented wire form in front of real copies of real disks."""
