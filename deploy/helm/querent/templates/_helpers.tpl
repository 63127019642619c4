{{- define "querent.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "querent.labels" -}}
app.kubernetes.io/name: querent
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "querent.selector" -}}
app.kubernetes.io/name: querent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "querent.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "querent.secret" -}}
{{ .Values.existingSecret | default (include "querent.name" .) }}
{{- end -}}

{{- /* What every pod shares: who it runs as and where it may be placed. */ -}}
{{- define "querent.pod" -}}
serviceAccountName: {{ include "querent.name" . }}
automountServiceAccountToken: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: home
    persistentVolumeClaim: {claimName: {{ include "querent.name" . }}}
  - name: tmp
    emptyDir: {sizeLimit: 2Gi}
{{- end -}}

{{- /* What every container shares. */ -}}
{{- define "querent.container" -}}
image: {{ include "querent.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - configMapRef: {name: {{ include "querent.name" . }}}
  - secretRef: {name: {{ include "querent.secret" . }}}
volumeMounts:
  - {name: home, mountPath: /var/lib/querent}
  - {name: tmp, mountPath: /tmp}
{{- end -}}
