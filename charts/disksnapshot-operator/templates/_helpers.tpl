{{/* Names are cut to 63 characters, what a label may have; the freezer's suffix still fits by a shorter cut. */}}
{{- define "disksnapshot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "disksnapshot.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "disksnapshot.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "disksnapshot.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "disksnapshot.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "disksnapshot.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.create is false: set serviceAccount.name to the account that the operator shall use" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* In mode PodIdentity, what TKE's pod-identity-webhook reads; it gives the pods a token and its environment. */}}
{{- define "disksnapshot.serviceAccountAnnotations" -}}
{{- $keys := .Values.tencent.credentials }}
{{- $annotations := dict }}
{{- if eq $keys.mode "PodIdentity" }}
{{- $role := required "set tencent.credentials.roleARN to the role that the operator shall assume" $keys.roleARN }}
{{- $annotations = dict "tke.cloud.tencent.com/role-arn" $role "tke.cloud.tencent.com/audience" "sts.cloud.tencent.com" "tke.cloud.tencent.com/token-expiration" "86400" }}
{{- end }}
{{- merge (deepCopy .Values.serviceAccount.annotations) $annotations | toYaml }}
{{- end }}

{{/* What chooses pods. These must never change: a Deployment's selector is immutable. */}}
{{- define "disksnapshot.selectorLabels" -}}
app.kubernetes.io/name: {{ include "disksnapshot.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "disksnapshot.labels" -}}
{{ include "disksnapshot.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "disksnapshot.image" -}}
{{- $image := .Values.image }}
{{- $repository := required "set image.repository (and image.registry) to where you pushed the image that the Dockerfile builds" $image.repository }}
{{- if $image.registry }}{{ $repository = printf "%s/%s" $image.registry $repository }}{{ end }}
{{- if $image.digest }}
{{- printf "%s@%s" $repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{/* The one account that all bindings of the chart speak of. */}}
{{- define "disksnapshot.operatorSubject" -}}
- kind: ServiceAccount
  name: {{ include "disksnapshot.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- define "disksnapshot.validate" -}}
{{- if and .Values.freezer.enabled (eq .Values.freezer.namespace .Release.Namespace) }}
{{- fail "freezer.namespace must not be the operator's namespace: the freezer needs rights there that the operator's pods must not have; choose another name" }}
{{- end }}
{{- end }}
