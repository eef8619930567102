module sluice/proxy

go 1.22
